/* SPDX-License-Identifier: Apache-2.0 */
#include "config_test.h"
#include "sample.h"

static const char text_of_all[] = "exporters:\n"
                                  "  sample:\n"
                                  "    path: \"true\"\n"
                                  "    append: false\n"
                                  "    threshold: .25\n"
                                  "    token: s3cr3t\n"
                                  "    keys: [s3cr3t, s3cr3t]\n"
                                  "    secret_headers: {A: s3cr3t}\n"
                                  "    pin: 1234\n"
                                  "    tokn: {x: [s3cr3t]}\n"
                                  "    rotation: {max_age: 1h, tags: {}}\n"
                                  "  debug:\n";

static const struct tt_schema *schema_of(void *context, struct tt_str section, struct tt_str id)
{
    (void)context;
    assert_str(section, "exporters");
    return tt_str_equal(id, TT_STR("sample")) ? &sample_schema : NULL;
}

static void print(struct loaded *l, enum tt_format format, enum tt_print_secrets secrets)
{
    struct tt_print how = {.secrets = secrets, .schema_of = schema_of};
    struct tt_writer w;

    tt_buffer_clear(&l->out);
    tt_writer_init(&w, &l->out, format);
    tt_print_tree(&w, l->tree->root, &how);
    tt_writer_end(&w);
    assert_int_equal(l->out.failed, TT_OK);
}

static void print_hides_secrets_in_yaml(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, text_of_all);
    print(&l, TT_FORMAT_YAML, TT_PRINT_REDACTED);
    assert_str(tt_buffer_view(&l.out), "exporters:\n"
                                       "  sample:\n"
                                       "    path: \"true\"\n"
                                       "    append: false\n"
                                       "    threshold: .25\n"
                                       "    token: \"[REDACTED]\"\n"
                                       "    keys:\n"
                                       "      - \"[REDACTED]\"\n"
                                       "      - \"[REDACTED]\"\n"
                                       "    secret_headers:\n"
                                       "      A: \"[REDACTED]\"\n"
                                       "    pin: \"[REDACTED]\"\n"
                                       "    tokn:\n"
                                       "      x:\n"
                                       "        - \"[REDACTED]\"\n"
                                       "    rotation:\n"
                                       "      max_age: 1h\n"
                                       "      tags: {}\n"
                                       "  debug: null\n");
    print(&l, TT_FORMAT_YAML, TT_PRINT_SECRETS);
    assert_true(has(tt_buffer_view(&l.out), "token: s3cr3t\n"));
    unload(&l);
}

static void print_writes_json(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, text_of_all);
    print(&l, TT_FORMAT_JSON, TT_PRINT_REDACTED);
    assert_str(tt_buffer_view(&l.out), "{\n"
                                       "  \"exporters\": {\n"
                                       "    \"sample\": {\n"
                                       "      \"path\": \"true\",\n"
                                       "      \"append\": false,\n"
                                       "      \"threshold\": 0.25,\n"
                                       "      \"token\": \"[REDACTED]\",\n"
                                       "      \"keys\": [\n"
                                       "        \"[REDACTED]\",\n"
                                       "        \"[REDACTED]\"\n"
                                       "      ],\n"
                                       "      \"secret_headers\": {\n"
                                       "        \"A\": \"[REDACTED]\"\n"
                                       "      },\n"
                                       "      \"pin\": \"[REDACTED]\",\n"
                                       "      \"tokn\": {\n"
                                       "        \"x\": [\n"
                                       "          \"[REDACTED]\"\n"
                                       "        ]\n"
                                       "      },\n"
                                       "      \"rotation\": {\n"
                                       "        \"max_age\": \"1h\",\n"
                                       "        \"tags\": {}\n"
                                       "      }\n"
                                       "    },\n"
                                       "    \"debug\": null\n"
                                       "  }\n"
                                       "}\n");
    unload(&l);
}

static void print_hides_secrets_that_are_maps_or_lists_by_accident(void **state)
{
    static const char *const env[] = {"T={s3cr3t: 1}", "E=", NULL};
    struct loaded l;

    (void)state;
    load_str(&l, TT_STR("exporters: {sample: {token: '${T}', path: '${T}', old_path: '${E}'}}"),
             env);
    print(&l, TT_FORMAT_YAML, TT_PRINT_REDACTED);
    assert_str(tt_buffer_view(&l.out), "exporters:\n  sample:\n    token: \"[REDACTED]\"\n"
                                       "    path: \"{s3cr3t: 1}\"\n    old_path: \"\"\n");
    unload(&l);
    load(&l, "exporters: {sample: {token: {s3cr3t: 1}}}");
    print(&l, TT_FORMAT_YAML, TT_PRINT_REDACTED);
    assert_str(tt_buffer_view(&l.out), "exporters:\n  sample:\n    token: \"[REDACTED]\"\n");
    unload(&l);
}

static void print_numbers_as_json_numbers(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, "v: [1, -1.5, +5, 0x1F, 007, 5., 1e3, 0.5e-3, -0, .inf, 1.5.1, true, TRUE, ~]");
    print(&l, TT_FORMAT_JSON, TT_PRINT_REDACTED);
    assert_str(
        tt_buffer_view(&l.out),
        "{\n  \"v\": [\n    1,\n    -1.5,\n    5,\n    31,\n    7,\n    5,\n    1e3,\n    0.5e-3,\n"
        "    -0,\n    \".inf\",\n    \"1.5.1\",\n    true,\n    true,\n    null\n  ]\n}\n");
    unload(&l);
}

static void print_of_text_reads_back(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "a b",
                                        " a",
                                        "a ",
                                        "a: b",
                                        "a:",
                                        "a #b",
                                        "#a",
                                        "- a",
                                        "-",
                                        "---",
                                        "...",
                                        "-5",
                                        ".5",
                                        "~",
                                        "null",
                                        "true",
                                        "0x1F",
                                        "1e3",
                                        "yes",
                                        "a\nb",
                                        "a\tb",
                                        "\x01",
                                        "\x7f",
                                        "ü",
                                        "\xc2\x85",
                                        "\xe2\x80\xa8",
                                        "\xef\xbb\xbf",
                                        "\xf0\x9f\x98\x80",
                                        "\"",
                                        "\\",
                                        "'",
                                        "&a",
                                        "*a",
                                        "!a",
                                        "%a",
                                        "@a",
                                        "`a",
                                        "{a}",
                                        "[a]",
                                        "a,b",
                                        "? a",
                                        "| a",
                                        "> a",
                                        "=",
                                        "<<",
                                        "${A}x",
                                        "a: ",
                                        ":",
                                        ":a",
                                        "http://h:1/x?y=z&q",
                                        "C:\\x",
                                        "/a b",
                                        "_",
                                        "+5",
                                        "+a",
                                        ".a",
                                        "a\xc2\xa0-b"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++)
        for (int quoted = 0; quoted < 2; quoted++) {
            struct tt_buffer out;
            struct tt_writer w;
            struct loaded l;
            tt_buffer_init(&out, 4096);
            tt_writer_init(&w, &out, TT_FORMAT_YAML);
            tt_writer_map_begin(&w);
            tt_writer_key(&w, tt_str(texts[i]));
            tt_writer_text(&w, tt_str(texts[i]), quoted == 1);
            tt_writer_map_end(&w);
            tt_writer_end(&w);
            load_str(&l, tt_buffer_view(&out), (const char *const[]){"A=expanded", NULL});
            if (texts[i][0] != '\0') {
                check_text(texts[i], problems(&l), "");
                check_text(texts[i], l.tree->root->first->key, texts[i]);
                check_case(texts[i], l.tree->root->first->kind == TT_NODE_SCALAR);
                check_text(texts[i], l.tree->root->first->text, texts[i]);
            }
            unload(&l);
            tt_buffer_done(&out);
        }
}

static void print_keeps_long_keys_readable(void **state)
{
    char text[1200] = "? ";
    struct loaded l, again;

    (void)state;
    memset(text + 2, 'k', 1100);
    memcpy(text + 1102, "\n: {a: [b]}\n", 13);
    load(&l, text);
    load_str(&again, yaml_of(&l), NULL);
    assert_str(problems(&again), "");
    assert_str_equal(again.tree->root->first->key, l.tree->root->first->key);
    assert_str(again.tree->root->first->first->first->text, "b");
    unload(&again);
    unload(&l);
}

static void print_leaves_dollars_alone_in_json(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, "a: $${A}$$$$1");
    print(&l, TT_FORMAT_JSON, TT_PRINT_REDACTED);
    assert_str(tt_buffer_view(&l.out), "{\n  \"a\": \"${A}$$1\"\n}\n");
    unload(&l);
}

static void print_config(struct tt_buffer *out, const struct sample *sample,
                         enum tt_print_secrets secrets)
{
    struct tt_writer w;

    tt_buffer_clear(out);
    tt_writer_init(&w, out, TT_FORMAT_YAML);
    tt_print_config(&w, &sample_schema, sample, secrets);
    tt_writer_end(&w);
}

static void print_of_defaults_fills_them_in(void **state)
{
    struct tt_arena arena;
    struct tt_diags diags;
    struct tt_buffer out;
    struct sample sample;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    tt_diags_init(&diags);
    tt_buffer_init(&out, 65536);
    assert_true(tt_config_defaults(&sample_schema, &arena, &sample, &diags));
    print_config(&out, &sample, TT_PRINT_REDACTED);
    assert_str(tt_buffer_view(&out), "path: null\n"
                                     "append: true\n"
                                     "port: 4318\n"
                                     "threshold: 0.5\n"
                                     "timeout: 10s\n"
                                     "max_bytes: 64MiB\n"
                                     "on_missing: unknown\n"
                                     "names:\n"
                                     "  - a\n"
                                     "  - b\n"
                                     "headers: {}\n"
                                     "token: null\n"
                                     "keys: []\n"
                                     "secret_headers: {}\n"
                                     "pin: \"[REDACTED]\"\n"
                                     "rotation:\n"
                                     "  max_backups: 100\n"
                                     "  max_age: 24h\n"
                                     "  tags: {}\n"
                                     "old_path: null\n");
    tt_buffer_done(&out);
    tt_diags_done(&diags);
    tt_arena_done(&arena);
}

static void print_of_a_struct_reads_back_and_hides_secrets(void **state)
{
    struct tt_arena arena;
    struct loaded l, again;
    struct sample sample, second;
    struct tt_buffer first_text, second_text;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    tt_buffer_init(&first_text, 65536);
    tt_buffer_init(&second_text, 65536);
    load(&l, "{path: 'a: b', append: false, port: 7, threshold: 0.1, timeout: 1234567891ns, "
             "max_bytes: 1537, on_missing: drop, names: ['', '5', 'a,b'], headers: {'x y': '1'}, "
             "token: s3cr3t, keys: [s3cr3t], secret_headers: {B: s3cr3t}, pin: 17, "
             "rotation: {max_backups: -9223372036854775808, max_age: -1ns}, "
             "limits: {memory: 1537MiB, ratio: -1e300}}");
    assert_true(tt_config_decode(&sample_schema, l.tree->root, "", &arena, &sample, &l.diags));
    print_config(&first_text, &sample, TT_PRINT_SECRETS);
    load_str(&again, tt_buffer_view(&first_text), NULL);
    assert_true(
        tt_config_decode(&sample_schema, again.tree->root, "", &arena, &second, &again.diags));
    print_config(&second_text, &second, TT_PRINT_SECRETS);
    assert_str_equal(tt_buffer_view(&second_text), tt_buffer_view(&first_text));
    assert_int_equal(second.max_bytes, 1537);
    assert_int_equal(second.timeout, 1234567891);
    assert_int_equal(second.limits.memory, (size_t)1537 << 20);
    assert_true(second.limits.present);
    assert_string_equal(second.names.items[2], "a,b");
    print_config(&second_text, &second, TT_PRINT_REDACTED);
    assert_false(has(tt_buffer_view(&second_text), "s3cr3t"));
    assert_false(has(tt_buffer_view(&second_text), "pin: 17"));
    tt_buffer_done(&first_text);
    tt_buffer_done(&second_text);
    unload(&again);
    unload(&l);
    tt_arena_done(&arena);
}

static bool print_small(void *context)
{
    struct loaded *l = (struct loaded *)context;
    struct tt_buffer out;
    struct tt_writer w;
    struct tt_print how = {.secrets = TT_PRINT_REDACTED};
    bool ok;

    tt_buffer_init(&out, 4096);
    tt_writer_init(&w, &out, TT_FORMAT_YAML);
    tt_print_tree(&w, l->tree->root, &how);
    tt_writer_end(&w);
    ok = tt_buffer_check(&out, "print", NULL) == TT_OK;
    tt_buffer_done(&out);
    return ok;
}

static void print_survives_each_failing_allocation(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, text_of_all);
    tt_test_failing_allocations(print_small, &l);
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(print_hides_secrets_in_yaml),
        cmocka_unit_test(print_writes_json),
        cmocka_unit_test(print_hides_secrets_that_are_maps_or_lists_by_accident),
        cmocka_unit_test(print_numbers_as_json_numbers),
        cmocka_unit_test(print_of_text_reads_back),
        cmocka_unit_test(print_keeps_long_keys_readable),
        cmocka_unit_test(print_leaves_dollars_alone_in_json),
        cmocka_unit_test(print_of_defaults_fills_them_in),
        cmocka_unit_test(print_of_a_struct_reads_back_and_hides_secrets),
        cmocka_unit_test(print_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
