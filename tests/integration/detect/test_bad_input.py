# SPDX-License-Identifier: Apache-2.0
"""Files nobody would make: each gives a defined result or one clear error, in bounded memory, from every command that reads tables."""

from tables import csv_text, gzip, in_folder, json, math, os, random, refused, rows_of, run, sample, telltale, write

INSTRUMENTED = "-fsanitize" in os.environ.get("TELLTALE", "") or any(word in os.environ.get("TELLTALE", "") for word in ("asan", "tsan"))


def trained(header, rows, *options):
    write("d.csv", csv_text(header, rows))
    out = json.loads(run("train", "--data", "d.csv", "--out", "m.json", "--json", *options)[0])
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv", "--explain", "all")
    scored = rows_of("s.csv")
    assert len(scored) == len(rows)
    assert all(0 <= float(row["anomaly_score"]) <= 1 for row in scored)
    return out, scored


def tiny_tables_have_a_score():
    for rows in [[[1, 2]], [[1, 2], [1, 2]], [[1, 2], [3, 4]], [[0, 0]] * 3]:
        trained(["a", "b"], rows)
        out = json.loads(run("evaluate", "outliers", "--data", "d.csv", "--label-column", "b", "--json")[0])
        assert out["rows"] == len(rows) and out["features"] == 1


def constant_and_empty_columns_are_no_trouble():
    out, scored = trained(["a", "b", "gone"], [[5, i % 10, ""] for i in range(300)])
    assert out["features"] == ["a", "b"] and out["left_out"] == {"gone": "has no value"}
    # A constant column is a gate: another value than ever seen stands out.
    write("other.csv", csv_text(["a", "b", "gone"], [[5, 3, ""], [6, 3, ""], ["", 3, ""]]))
    run("score", "--model", "m.json", "--data", "other.csv", "--out", "o.csv")
    scores = [float(row["anomaly_score"]) for row in rows_of("o.csv")]
    assert scores[1] > scores[0] + 0.2 and scores[2] > scores[0] + 0.2, scores
    out, scored = trained(["a"], [[7]] * 50)
    assert len({row["anomaly_score"] for row in scored}) == 1
    write("d.csv", "a,b\n,\n,\n")
    refused("train", "--data", "d.csv", "--out", "x.json", because="no column has numbers to learn from")


def nan_and_infinities_are_values():
    rng = random.Random(1)
    odd = ["nan", "NaN", "inf", "-inf", "Infinity", "1e999", "", "null"]
    rows = [[rng.choice(odd) if rng.random() < 0.3 else f"{rng.gauss(0, 1):.4f}" for _ in range(4)] for _ in range(1000)]
    trained(["a", "b", "c", "d"], rows)
    trained(["a"], [[rng.choice(odd)] for _ in range(100)])
    trained(["a"], [["inf"]] * 20)


def texts_among_numbers_are_told():
    rows = [[i % 50, i % 7, "x" if i % 2 else "y", "oops" if i == 500 else i % 5] for i in range(1000)]
    write("d.csv", csv_text(["a", "b", "text", "mixed"], rows))
    out, err = run("train", "--data", "d.csv", "--out", "m.json", "--json")
    out = json.loads(out)
    assert out["features"] == ["a", "b", "mixed"] and out["left_out"]["text"] == 'is text ("y")'
    assert 'd.csv:502: "oops" in column "mixed" is no number; 1 such cells count as missing' in err
    # A text column whose first thousands of cells are numbers is one all the same.
    write("late.csv", csv_text(["a", "b"], [[i % 9, i if i < 5000 else "x"] for i in range(10000)]))
    out = json.loads(run("train", "--data", "late.csv", "--out", "m.json", "--json")[0])
    assert out["features"] == ["a"], out


def ten_thousand_columns():
    rng = random.Random(2)
    header = [f"c{i}" for i in range(10000)]
    rows = [[f"{rng.random():.2f}" for _ in header] for _ in range(60)]
    out, _ = trained(header, rows)
    assert len(out["features"]) == 10000
    write("wide.csv", ",".join(f"c{i}" for i in range(70000)) + "\n")
    refused("train", "--data", "wide.csv", "--out", "x.json", because="wide.csv:1: more than 65536 cells")
    write("wide.csv", ",".join(f"c{i}" for i in range(40000)) + "\n" + ",".join(["1"] * 40000) + "\n")
    refused("train", "--data", "wide.csv", "--out", "x.json", because="wide.csv: 40000 columns to learn from, more than 32768")


def headers_without_rows():
    write("d.csv", "a,b\n")
    refused("train", "--data", "d.csv", "--out", "x.json", because="no row in the data")
    refused("evaluate", "outliers", "--data", "d.csv", "--label-column", "b", because="no row in the data")
    refused("evaluate", "labels", "d.csv", "--score", "a", "--type-column", "b", because="no labelled row")
    write("full.csv", "a,b\n1,2\n3,4\n")
    run("train", "--data", "full.csv", "--out", "m.json")
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv")
    assert open("s.csv").read() == "a,b,anomaly_score,anomaly_is_anomaly,anomaly_top_feature,anomaly_reasons\n"
    # A file without rows among others is no fault.
    run("train", "--data", "d.csv", "full.csv", "--out", "m.json")


def files_that_are_no_tables():
    cases = [(b"", ":1: no header: the file is empty"), (b"1,2\n3,4\n", ":1: numbers where the names"), (b"a;b\n1;2\n", ":1: separated by"),
             (b"a,a\n1,2\n", ':1: two columns are called "a"'), (b"\xff\xfea\x00", ":1: UTF-16"), (b"a,b\r1,2\r", ":1: lines end with CR"),
             (gzip.compress(b"a,label,anomaly_type,anomaly_score\n" + os.urandom(3000).hex().encode())[:1000], "the compressed data end too early"),
             (b"\x1f\x8b\x08\x00garbage that is not gzip", "read gzip:"), (b"\x00" * 100, "NUL")]
    for text, because in cases:
        write("bad.csv", text)
        err = refused("train", "--data", "bad.csv", "--out", "x.json", because=because)
        assert "bad.csv" in err and len(err.splitlines()) == 1, err
        refused("evaluate", "outliers", "--data", "bad.csv", because=because)
        refused("evaluate", "labels", "bad.csv", because=because)
    refused("train", "--data", "none.csv", "--out", "x.json", because="none.csv: No such file")
    refused("train", "--data", ".", "--out", "x.json", because="Is a directory")
    write("ids.csv", "trace_id,timestamp,label\n1,2,3\n")
    refused("train", "--data", "ids.csv", "--out", "x.json", because="ids.csv: no column is left to learn from")
    write("one.csv", "a,b\n1,2\n")
    write("two.csv", "a,c\n1,2\n")
    refused("train", "--data", "one.csv", "two.csv", "--out", "x.json", because='two.csv has no column "b", which the first file has')


def bad_records_are_told_and_left_out():
    good = [f"{i},{i % 7}" for i in range(400)]
    bad = ["1", "1,2,3", '"x"y,2', "", ",,,", "1;2"]
    lines = good[:]
    for i, record in enumerate(bad):
        lines.insert(50 + 20 * i, record)
    write("d.csv", "a,b\r\n" + "\r\n".join(lines))
    out, err = run("train", "--data", "d.csv", "--out", "m.json", "--json")
    out = json.loads(out)
    assert out["rows"] == 400 and out["rejected_rows"] == 5, out
    assert "d.csv:52: 1 cells, the header has 2; left out" in err and "d.csv:92: not a CSV record; left out" in err, err
    out = json.loads(run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv", "--json")[0])
    assert out["rows"] == 400 and out["rejected_rows"] == 5
    assert [row["a"] + "," + row["b"] for row in rows_of("s.csv")] == good
    # A thousand of them are counted, twenty shown.
    write("d.csv", "a,b\n" + "1\n" * 1000 + "1,2\n2,3\n")
    out, err = run("train", "--data", "d.csv", "--out", "m.json", "--json")
    assert json.loads(out)["rejected_rows"] == 1000 and err.count("left out") == 20 and "not shown" in err


def nul_bytes_are_text():
    write("d.csv", b"a,b\n" + b"".join(b"%d,%d\n" % (i, i % 5) for i in range(300)) + b"1\x00,2\n\x00,3\n")
    out, err = run("train", "--data", "d.csv", "--out", "m.json", "--json")
    assert json.loads(out)["features"] == ["a", "b"] and '"1?" in column "a" is no number; 2 such cells' in err
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv")
    assert b"1\x00,2,0." in open("s.csv", "rb").read()


def endless_lines_and_quotes_stay_bounded():
    """1 GB that never ends its line, as a sparse file of NUL bytes; and a quote that never closes."""
    for start in [b"a,b\n1,2\n", b'a,b\n1,2\n"']:
        with open("big.csv", "wb") as file:
            file.write(start)
            file.truncate(1 << 30)
        memory = None if INSTRUMENTED else 200 << 20
        out, err = run("train", "--data", "big.csv", "--out", "x.json", code=1, memory=memory)
        assert "big.csv:3: a record of more than 4194304 bytes, or a quote that does not close" in err and out == "", err


def the_locale_is_not_asked():
    header, rows = sample(300)
    write("d.csv", csv_text(header, rows))
    models = set()
    for locale in ["C", "de_DE.UTF-8", "fr_FR.UTF-8"]:
        run("train", "--data", "d.csv", "--out", "m.json", env={"LC_ALL": locale})
        models.add(open("m.json").read())
    assert len(models) == 1


def a_full_disk_is_said_and_leaves_nothing():
    if not os.path.exists("/dev/full"):
        return
    header, rows = sample(300)
    write("d.csv", csv_text(header, rows))
    run("train", "--data", "d.csv", "--out", "m.json")
    done = os.system(f"{telltale.binary()} score --model m.json --data d.csv --out - > /dev/full 2> err")
    assert os.waitstatus_to_exitcode(done) == 1 and "No space left" in open("err").read()


for test in [tiny_tables_have_a_score, constant_and_empty_columns_are_no_trouble, nan_and_infinities_are_values, texts_among_numbers_are_told,
             ten_thousand_columns, headers_without_rows, files_that_are_no_tables, bad_records_are_told_and_left_out, nul_bytes_are_text,
             endless_lines_and_quotes_stay_bounded, the_locale_is_not_asked, a_full_disk_is_said_and_leaves_nothing]:
    in_folder(test)
