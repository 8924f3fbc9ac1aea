"""What differs between two descriptions, for a person to read."""


def differences(old, new, name=""):
    """Lists what differs between two plain values.

    Lists of rows (`[path, size, ...]`) are compared by the first entry of each row.

    Args:
        old, new: plain values, as JSON holds them: dicts, lists, numbers, str.
        name: str, what they are.

    Returns:
        List of str, empty where they are equal.

    Example:
        >>> differences({"seed": 0, "files": [["a", 1]]}, {"seed": 1, "files": [["a", 2]]})
        ['seed: 0 then, 1 now', 'files a: [1] then, [2] now']
    """
    if _is_table(old) and _is_table(new):
        rows = ({str(row[0]): row[1:] for row in table} for table in (old, new))
        found = differences(*rows, name)
        return found or ([] if old == new else [f"{name}: the same in another order"])
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [f"{name}: {old!r} then, {new!r} now"]
    found = []
    for key in [*old, *(key for key in new if key not in old)]:
        full = f"{name} {key}".strip()
        if key not in new:
            found.append(f"{full}: {old[key]!r} then, not there now")
        elif key not in old:
            found.append(f"{full}: not there then, {new[key]!r} now")
        else:
            found += differences(old[key], new[key], full)
    return found


def listed(found, most=8):
    """The first few of many differences as one str."""
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return "; ".join([*found[:most], *more])


def _is_table(value):
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(row, list) and row and isinstance(row[0], str) for row in value)
    )
