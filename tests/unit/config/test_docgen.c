/* SPDX-License-Identifier: Apache-2.0 */
#include "config/docgen.h"
#include "sample.h"
#include "tt_test.h"

static void docgen_writes_a_row_for_each_option(void **state)
{
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 65536);
    tt_docgen_markdown(&sample_schema, &out);
    assert_str(tt_buffer_view(&out),
               "| option | type | default | allowed | flags | meaning |\n"
               "| --- | --- | --- | --- | --- | --- |\n"
               "| `path` | text |  |  | required | Where to write. |\n"
               "| `append` | boolean | `true` |  | reloadable | Whether to append. |\n"
               "| `port` | integer | `4318` | 1 to 65535 |  | A port. |\n"
               "| `threshold` | number | `0.5` | 0 to 1 |  | A threshold. |\n"
               "| `timeout` | duration | `10s` | 1ms to 1h |  | How long to wait. |\n"
               "| `max_bytes` | size | `64MiB` | 1KiB to 1GiB |  | Most bytes. |\n"
               "| `on_missing` | `normal`, `unknown`, `drop` | `unknown` |  |  | What to do. |\n"
               "| `names` | list of text | `a, b` |  |  | Names. |\n"
               "| `headers` | map of text |  |  |  | Headers. |\n"
               "| `token` | text |  |  | secret | A token. |\n"
               "| `keys` | list of text |  |  | secret | Keys. |\n"
               "| `secret_headers` | map of text |  |  | secret | More headers. |\n"
               "| `pin` | integer |  | 0 to 9999 | secret | A PIN. |\n"
               "| `rotation` | section |  |  |  | Rotation. |\n"
               "| `rotation.max_backups` | integer | `100` |  |  | How many old files stay. |\n"
               "| `rotation.max_age` | duration | `1d` |  |  | How long old files stay. |\n"
               "| `rotation.tags` | map of text |  |  |  | Text in the name \\| of a file. |\n"
               "| `limits` | section |  |  |  | Limits. |\n"
               "| `limits.memory` | size |  | at least 4KiB | required | Most memory. |\n"
               "| `limits.ratio` | number | `0.5` | at most 1 |  | A ratio. |\n"
               "| `old_path` | text |  |  | deprecated | Use path. |\n");
    tt_buffer_done(&out);
}

static void docgen_says_when_there_are_no_options(void **state)
{
    static const struct tt_schema nothing = {0};
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 65536);
    tt_docgen_markdown(&nothing, &out);
    assert_str(tt_buffer_view(&out), "There are no options.\n");
    tt_buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(docgen_writes_a_row_for_each_option),
        cmocka_unit_test(docgen_says_when_there_are_no_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
