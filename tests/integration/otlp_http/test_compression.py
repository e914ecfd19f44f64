# SPDX-License-Identifier: Apache-2.0
"""Compressed bodies (reliability F)."""

import gzip
import shutil
import subprocess
import time
import zlib

import bench
import telltale

LIMIT = 4 << 20
BODY = telltale.traces([telltale.span(number=n, attributes=[("k", "value %d" % n)]) for n in range(1, 200)])


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True, check=True).stdout


def post(process, body, encoding):
    return process.post("otlp", "/v1/traces", body, headers={"Content-Encoding": encoding})


def good(b, have_zstd):
    b.expect("gzip", post(b.process, gzip.compress(BODY), "gzip"), 200)
    b.expect("x-gzip, other case", post(b.process, gzip.compress(BODY), "X-GZip"), 200)
    b.expect("deflate", post(b.process, zlib.compress(BODY), "deflate"), 200)
    b.expect("zlib", post(b.process, zlib.compress(BODY), "zlib"), 200)
    b.expect("F2 identity", post(b.process, BODY, "identity"), 200)
    b.expect("F2 empty", post(b.process, BODY, ""), 200)
    b.expect("F3 members", post(b.process, b"".join(gzip.compress(BODY[i:i + 7]) for i in range(0, 7000, 7)), "gzip"), 200, 400)
    b.expect("F3 1,000 members", post(b.process, gzip.compress(BODY) + gzip.compress(b"") * 999, "gzip"), 200)
    if have_zstd:
        b.expect("zstd", post(b.process, zstd(BODY), "zstd"), 200)
        b.expect("zstd, two frames", post(b.process, zstd(BODY[:100]) + zstd(BODY[100:]), "zstd"), 200)


def refused(b, have_zstd):
    packed = gzip.compress(BODY)
    b.expect("F2 gzip of gzip", post(b.process, gzip.compress(packed), "gzip"), 400)
    for encoding in ("gzip, gzip", "br", "snappy", "compress", "gzip;q=1", "x" * 1000):
        b.expect("F2 " + encoding[:20], post(b.process, packed, encoding), 415)
    damaged = bytearray(packed)
    damaged[-8] ^= 1
    b.expect("F3 CRC", post(b.process, bytes(damaged), "gzip"), 400)
    damaged = bytearray(packed)
    damaged[-1] ^= 1
    b.expect("F3 ISIZE", post(b.process, bytes(damaged), "gzip"), 400)
    b.expect("F3 trailing garbage", post(b.process, packed + b"garbage", "gzip"), 400)
    b.expect("raw deflate", post(b.process, zlib.compress(BODY)[2:-4], "deflate"), 400)
    b.expect("F6 plain called gzip", post(b.process, BODY, "gzip"), 400)
    b.expect("F6 gzip called plain", post(b.process, packed, "identity"), 400)
    b.expect("nothing called gzip", post(b.process, b"", "gzip"), 400)
    if have_zstd:
        b.expect("zstd called gzip", post(b.process, zstd(BODY), "gzip"), 400)


def truncated(b, have_zstd):
    kinds = [("gzip", gzip.compress(BODY[:2000])), ("deflate", zlib.compress(BODY[:2000]))]
    if have_zstd:
        kinds.append(("zstd", zstd(BODY[:2000])))
    for encoding, packed in kinds:
        for size in range(len(packed)):
            answer = post(b.process, packed[:size], encoding)
            b.check(f"F3 {encoding} cut at {size} of {len(packed)}", answer.status == 400, answer)
        b.still_good(f"F3 {encoding}")


def limits(b):
    """The limit holds for what comes out."""
    for size, status in ((LIMIT, 200), (LIMIT + 1, 413)):
        b.expect(f"{size} unpacked", post(b.process, gzip.compress(varied(size), 1), "gzip"), status)


def varied(size):
    """A valid request of that size which packs 10 times or so, far from the ratio of a bomb."""
    body = telltale.traces([telltale.span(number=n, attributes=[("k", "value %d" % n)]) for n in range(1, 10000)])
    return body + filler(size - len(body))


def filler(size):
    """An unknown field of exactly `size` bytes (at least 8)."""
    for slack in range(3, 8):
        piece = telltale.field(1000, (b"%07d" * (size // 7 + 1) % tuple(range(size // 7 + 1)))[: size - slack])
        if len(piece) == size:
            return piece
    raise ValueError(size)


def bombs(b, have_zstd):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    packed = b"".join(packer.compress(block) for _ in range(1024)) + packer.flush()
    before, cpu = b.process.rss(), b.process.cpu_seconds()
    b.expect("F1 gzip of 1 GiB", post(b.process, packed, "gzip"), 413)
    if have_zstd:
        packed = subprocess.run("head -c 1073741824 /dev/zero | zstd -q -c", shell=True, capture_output=True, check=True).stdout
        b.expect("F1 zstd of 1 GiB", post(b.process, packed, "zstd"), 413)
        window = zstd(bytes(1 << 20), "--long=27", "--no-check")
        b.expect("zstd with a window of 128 MiB", post(b.process, window, "zstd"), 200, 400, 413)
    b.check("F1 CPU", b.process.cpu_seconds() - cpu < 2, b.process.cpu_seconds() - cpu)
    b.grown_less("F1 memory", 32 << 20, before)


def main():
    have_zstd = shutil.which("zstd") is not None
    if not have_zstd:
        print("without zstd: the tool is not there")
    with bench.start([f"max_request_body_size: {LIMIT}"]) as process:
        b = bench.Bench(process)
        begin = time.monotonic()
        for part in (good, refused, truncated, bombs):
            part(b, have_zstd)
        limits(b)
        print(f"{time.monotonic() - begin:.1f} s")
        b.end()


main()
