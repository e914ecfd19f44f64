# SPDX-License-Identifier: Apache-2.0
"""Malformed HTTP (reliability C): on a fresh connection, and as the second request of a kept one where that can be seen."""

import bench
import telltale

BODY = bench.good_body()
TYPE = b"Content-Type: application/x-protobuf\r\n"
HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: a\r\n" + TYPE
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
GOOD = HEAD + LENGTH + b"\r\n" + BODY
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def headers(extra):
    return HEAD + extra + b"\r\n"


# name, bytes, statuses, and whether the second request of a connection gets them as well (docs/otlp-http.md, "What is not seen")
CASES = [
    ("C1 length and chunked", headers(LENGTH + b"Transfer-Encoding: chunked\r\n") + CHUNKS, (400,), True),
    ("C1 chunked and length", headers(b"Transfer-Encoding: chunked\r\n" + LENGTH) + CHUNKS, (400,), True),
    ("C2 two equal lengths", headers(LENGTH + LENGTH) + BODY, (400,), True),
    ("C2 two lengths", headers(LENGTH + b"Content-Length: 3\r\n") + BODY, (400,), True),
    ("C2 3, 3", headers(b"Content-Length: 3, 3\r\n") + b"abc", (400,), True),
    ("C3 -1", headers(b"Content-Length: -1\r\n"), (400,), True),
    ("C3 +3", headers(b"Content-Length: +3\r\n") + b"abc", (400,), True),
    ("C3 0x3", headers(b"Content-Length: 0x3\r\n") + b"abc", (400,), True),
    ("C3 3 and a blank", headers(b"Content-Length: 3 \r\n") + b"abc", (400,), True),
    ("C3 2^63", headers(b"Content-Length: 9223372036854775808\r\n"), (413,), True),
    ("C3 2^64-1", headers(b"Content-Length: 18446744073709551615\r\n"), (413,), True),
    ("C3 20 digits", headers(b"Content-Length: 99999999999999999999\r\n"), (413,), True),
    ("C4 xchunked", headers(b"Transfer-Encoding: xchunked\r\n") + CHUNKS, (501,), True),
    ("C4 chunked, identity", headers(b"Transfer-Encoding: chunked, identity\r\n") + CHUNKS, (501,), True),
    ("C4 gzip, chunked", headers(b"Transfer-Encoding: gzip, chunked\r\n") + CHUNKS, (501,), True),
    ("C4 malformed chunk", headers(b"Transfer-Encoding: chunked\r\n") + b"zz\r\nabc\r\n", (400,), True),
    ("C4 negative chunk", headers(b"Transfer-Encoding: chunked\r\n") + b"-1\r\nabc\r\n", (400,), True),
    ("C4 huge chunk", headers(b"Transfer-Encoding: chunked\r\n") + b"ffffffffffffffffff\r\nabc", (413,), True),
    ("C6 blank before the colon", headers(b"Content-Length : 3\r\n") + b"abc", (400,), True),
    ("C6 continued header", headers(b"X: a\r\n b\r\n" + LENGTH) + BODY, (400,), False),
    ("C6 bare LF", GOOD.replace(b"\r\n", b"\n", 3), (400,), False),
    ("C6 CR only", HEAD.replace(b"\r\n", b"\r") + b"\r\r", (400,), False),
    ("C6 NUL in a value", headers(b"X: a\0b\r\n" + LENGTH) + BODY, (400,), False),
    ("C6 NUL in a name", headers(b"X\0Y: a\r\n" + LENGTH) + BODY, (400,), True),
    ("C6 control character", headers(b"X: a\x01b\r\n" + LENGTH) + BODY, (400,), True),
    ("C6 blank in a name", headers(b"X Y: a\r\n" + LENGTH) + BODY, (400,), True),
    ("C6 8 bits in a name", headers(b"X\xe9: a\r\n" + LENGTH) + BODY, (400,), True),
    ("C6 no colon", headers(b"X\r\n" + LENGTH) + BODY, (400,), True),
    ("C7 headers of 33 KiB", headers(b"X: " + b"a" * (33 << 10) + b"\r\n" + LENGTH) + BODY, (431,), True),
    ("C7 headers of 64 KiB", headers(b"X: " + b"a" * (64 << 10) + b"\r\n" + LENGTH) + BODY, (431,), True),
    ("C7 2,000 headers", headers(b"X: a\r\n" * 2000 + LENGTH) + BODY, (431,), True),
    ("C7 101 headers", headers(b"X: a\r\n" * 101 + LENGTH) + BODY, (431,), True),
    ("C7 URL of 9 KB", GOOD.replace(b"/v1/traces", b"/" + b"a" * 9000), (414,), True),
    ("C7 URL of 40 KB", GOOD.replace(b"/v1/traces", b"/" + b"a" * 40000), (414, 431), True),
    ("C8 no host", GOOD.replace(b"Host: a\r\n", b""), (400,), True),
    ("C8 two hosts", headers(b"Host: b\r\n" + LENGTH) + BODY, (400,), True),
    ("C8 absolute form", GOOD.replace(b"/v1/traces", b"http://a/v1/traces"), (400,), False),
    ("C8 asterisk", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", (400,), False),
    ("C8 HTTP/0.9", b"GET /v1/traces\r\n", (400,), False),
    ("C8 HTTP/9.9", GOOD.replace(b"HTTP/1.1", b"HTTP/9.9"), (505,), False),
    ("not HTTP", b"\x00\x01\x02\x03\x04\x05\x06\x07", (400,), False),
    ("C9 ..", GOOD.replace(b"/v1/traces", b"/%2e%2e/%2e%2e/etc/passwd%00.html"), (404,), True),
    ("C9 NUL after a path", GOOD.replace(b"/v1/traces", b"/v1/traces%00"), (404,), True),
    ("C9 //", GOOD.replace(b"/v1/traces", b"//v1/traces"), (404,), True),
    ("C9 /./", GOOD.replace(b"/v1/traces", b"/./v1/traces"), (404,), True),
    ("C9 overlong", GOOD.replace(b"/v1/traces", b"/%c0%ae%c0%ae/v1/traces"), (404,), True),
    ("C9 trailing slash", GOOD.replace(b"/v1/traces", b"/v1/traces/"), (404,), True),
    ("query", GOOD.replace(b"/v1/traces", b"/v1/traces?a=b&c"), (200,), True),
    ("HTTP/1.0", GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"), (200,), True),
    ("chunked", headers(b"Transfer-Encoding: chunked\r\n") + CHUNKS, (200,), True),
    ("C11 too large, asked first", headers(b"Content-Length: 99999999\r\nExpect: 100-continue\r\n"), (413,), True),
    ("C11 wrong type, asked first", headers(b"Content-Length: 5\r\nExpect: 100-continue\r\n").replace(TYPE, b""), (415,), True),
    ("C11 other expectation", headers(LENGTH + b"Expect: tea\r\n") + BODY, (417,), True),
]


def second(process, data):
    """The case as the second request of a connection."""
    with process.connect("otlp") as sock:
        sock.sendall(GOOD)
        assert telltale.read_answer(sock).status == 200
        try:
            sock.sendall(data)
        except ConnectionError:
            pass
        return telltale.read_answer(sock)


def closes(process, data):
    """Whether the connection is closed after the answer, within 5 s."""
    with process.connect("otlp") as sock:
        sock.sendall(data)
        telltale.read_answer(sock)
        sock.settimeout(5)
        try:
            while sock.recv(4096):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True


def pipelined(b):
    with b.process.connect("otlp") as sock:
        sock.sendall(GOOD * 1000)
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 1000:
            piece = sock.recv(65536)
            if not piece:
                break
            answers += piece
        b.check("C10 1,000 in one packet", answers.count(b"HTTP/1.1 200") == 1000, answers.count(b"HTTP/1.1 200"))
    with b.process.connect("otlp") as sock:
        sock.sendall(GOOD * 1000)
        telltale.read_answer(sock)
    b.still_good("C10 client left")


def continues(b):
    with b.process.connect("otlp") as sock:
        sock.sendall(headers(LENGTH + b"Expect: 100-continue\r\n"))
        first = telltale.read_answer(sock, head_only=True)
        b.check("C11 100", first is not None and first.status == 100, first)
        sock.sendall(BODY)
        b.expect("C11 then 200", telltale.read_answer(sock), 200)


def main():
    with bench.start() as process:
        b = bench.Bench(process)
        for name, data, statuses, seen_later in CASES:
            b.expect(name, process.raw("otlp", data), *statuses)
            if seen_later:
                b.expect(name + " (second)", second(process, data), *statuses)
            if name[:2] in ("C1", "C2", "C3", "C4", "C6"):
                b.check(name + " closes", closes(process, data))
        pipelined(b)
        continues(b)
        b.end()


main()
