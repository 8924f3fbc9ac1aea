"""Pictures, where matplotlib is there to draw them."""


def draw(kind, *arguments):
    """Draws with `keras_bert.plots`; says how to install matplotlib where it is missing."""
    from keras_bert import plots

    try:
        getattr(plots, kind)(*arguments)
    except ImportError as error:
        print(f"no picture: {error}")
