"""Starts one server of a tf.data service, and runs until it is stopped: the dispatcher, or with
--dispatcher a worker, as many as wanted on any machines that see the corpus.

    keras-bert data_service --port=5050
    keras-bert data_service --dispatcher=grpc://host:5050 --address=this_host:%port%

Training then reads with kb.data.pretraining(..., service="grpc://host:5050"). TensorFlow binds
both to all interfaces of a machine and asks for no password: use them inside a network that only
the machines of a cluster reach.
"""

import threading

from absl import flags

REQUIRED = []


def define(values):
    """Declares the flags."""
    flags.DEFINE_string(
        "dispatcher", None, "grpc://host:port to work for; none: be it", flag_values=values
    )
    flags.DEFINE_integer("port", 0, "to listen on; 0 any free one", 0, 65_535, flag_values=values)
    flags.DEFINE_string(
        "address",
        "localhost:%port%",
        "where readers reach a worker",
        flag_values=values,
    )


def main(values):
    """Serves until SIGINT or SIGTERM."""
    from keras_bert.cli.quiet import import_tensorflow

    import_tensorflow()
    from keras_bert.data import service

    if values.dispatcher:
        server = service.start_worker(values.dispatcher, values.port, values.address)
        print(f"works for {values.dispatcher}", flush=True)
    else:
        server = service.start_dispatcher(values.port)
        print(server.target, flush=True)
    # The server lives as long as its name does, and the process until a signal ends it.
    threading.Event().wait()
    del server
