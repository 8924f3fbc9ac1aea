"""What the order and content of the data depend on, as plain values to keep and to compare."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

_ENDS = 4096
_MOST_NAMED = 5


def of_tokenizer(tokenizer):
    """A digest of the vocabulary and the options of a tokenizer, str."""
    hash = hashlib.blake2b(digest_size=16)
    hash.update(repr((tokenizer.lowercase, tokenizer.strip_accents)).encode())
    # What most tokenizers have not leaves the digests of existing data as they were.
    if not tokenizer.split_chinese or tokenizer.added_tokens:
        hash.update(
            repr((tokenizer.split_chinese, sorted(tokenizer.added_tokens.items()))).encode()
        )
    for token in tokenizer.vocabulary:
        hash.update(token.encode("utf-8", "surrogatepass") + b"\n")
    return hash.hexdigest()


def of_files(paths):
    """`[path, size, digest of the first and last 4 KiB]` of each file: no pass over the corpus."""
    with ThreadPoolExecutor(8) as executor:
        return list(executor.map(_of_file, paths))


def _of_file(path):
    size = os.path.getsize(path)
    hash = hashlib.blake2b(digest_size=8)
    with open(path, "rb") as file:
        hash.update(file.read(_ENDS))
        file.seek(max(0, size - _ENDS))
        hash.update(file.read(_ENDS))
    return [path, size, hash.hexdigest()]


def differences(old, new):
    """What differs between two fingerprints, a sentence each.

    Args:
        old, new: dicts as `PretrainingStream.fingerprint` gives them, before and after JSON.

    Returns:
        List of str; empty where they agree.

    Example:
        >>> differences({"seed": 0, "corpus": [["a", 9, "f0"]]}, {"seed": 1, "corpus": []})
        ['seed was 0 and is 1', 'a is no longer in the corpus']
    """
    found = []
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name), new.get(name)
        if name == "corpus":
            found += _of_corpora(before or [], after or [])
        elif name == "tokenizer":
            if before != after:
                found.append("the tokenizer's vocabulary or options have changed")
        elif before != after:
            found.append(f"{name} was {before!r} and is {after!r}")
    return found


def _of_corpora(old, new):
    before, after = ({path: rest for path, *rest in corpus} for corpus in (old, new))
    found = []
    for path in dict.fromkeys([*before, *after]):
        if path not in after:
            found.append(f"{path} is no longer in the corpus")
        elif path not in before:
            found.append(f"{path} is new in the corpus")
        elif before[path][0] != after[path][0]:
            found.append(f"{path} had {before[path][0]:,} bytes and has {after[path][0]:,}")
        elif before[path] != after[path]:
            found.append(f"{path} has other text")
    if not found and list(before) != list(after):
        found.append("the files of the corpus are in another order")
    if len(found) > _MOST_NAMED:
        found[_MOST_NAMED:] = [f"{len(found) - _MOST_NAMED} more files of the corpus differ"]
    return found
