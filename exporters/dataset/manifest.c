/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/manifest.h"

#include "otlp/json.h"

#include <stdlib.h>

/* ---- pieces of JSON ---- */

static void put_key(struct tt_buffer *out, const char *before, const char *key)
{
    tt_buffer_printf(out, "%s\"%s\": ", before, key);
}

static void put_time(struct tt_buffer *out, uint64_t ns)
{
    char text[32];

    (void)tt_time_format(ns, 9, text);
    tt_buffer_printf(out, "\"%s\"", text);
}

static int by_name(const void *a, const void *b)
{
    const struct dataset_count *const *left = a, *const *right = b;

    return tt_str_compare((*left)->name, (*right)->name);
}

/* {"cpu_saturation": 120, "none": 5000}, sorted, so that two manifests can be compared as text. */
static void put_counts(struct tt_buffer *out, const struct dataset_counts *counts, unsigned signal)
{
    size_t n = 0, position = 0;
    const struct tt_map_slot *slot;
    const struct dataset_count **sorted = tt_calloc(counts->map.count + 1, sizeof(const void *));
    const char *before = "";

    if (sorted == NULL) {
        out->failed = TT_NO_MEMORY;
        return;
    }
    while ((slot = tt_map_next(&counts->map, &position)) != NULL)
        sorted[n++] = slot->value;
    qsort(sorted, n, sizeof(*sorted), by_name);
    tt_buffer_append_byte(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (sorted[i]->rows[signal] == 0)
            continue;
        tt_buffer_append_str(out, tt_str(before));
        tt_json_write_text(sorted[i]->name, out);
        tt_buffer_printf(out, ": %llu", (unsigned long long)sorted[i]->rows[signal]);
        before = ", ";
    }
    tt_buffer_append_byte(out, '}');
    tt_free(sorted);
}

/* ---- sections ---- */

static uint64_t rows_named(const struct dataset_counts *counts, unsigned signal, struct tt_str name)
{
    const struct dataset_count *count = tt_map_get(&counts->map, name);

    return count == NULL ? 0 : count->rows[signal];
}

static void put_balance(struct tt_buffer *out, const struct dataset_set *set, unsigned signal)
{
    uint64_t rows = set->rows[signal],
             unlabelled = rows_named(&set->sources, signal, TT_STR("none"));
    uint64_t normal = rows_named(&set->types, signal, TT_STR("none")) +
                      rows_named(&set->types, signal, TT_STR("normal")) +
                      rows_named(&set->types, signal, TT_STR(""));
    uint64_t unknown = rows_named(&set->types, signal, TT_STR("unknown"));

    put_key(out, ",\n      ", "labelled_rows");
    tt_buffer_append_uint64(out, rows - unlabelled);
    put_key(out, ",\n      ", "label_coverage_ratio");
    tt_buffer_append_double(out, rows == 0 ? 0.0 : (double)(rows - unlabelled) / (double)rows);
    put_key(out, ",\n      ", "by_source");
    put_counts(out, &set->sources, signal);
    put_key(out, ",\n      ", "normal");
    tt_buffer_append_uint64(out, normal);
    put_key(out, ",\n      ", "anomalous");
    tt_buffer_append_uint64(out, rows - normal - unknown);
    put_key(out, ",\n      ", "by_type");
    put_counts(out, &set->types, signal);
}

static void put_columns(struct tt_buffer *out, const struct dataset_signal_layout *layout)
{
    put_key(out, ",\n      ", "columns");
    for (size_t i = 0; i < layout->n_columns; i++) {
        tt_buffer_append_str(out, i == 0 ? TT_STR("[") : TT_STR(", "));
        tt_json_write_text(tt_str(layout->columns[i].name), out);
    }
    put_key(out, "],\n      ", "definitions");
    tt_buffer_append_byte(out, '{');
    for (size_t i = 0, n = 0; i < layout->n_columns; i++) {
        if (layout->columns[i].doc == NULL)
            continue;
        tt_buffer_append_str(out, n++ == 0 ? TT_STR("") : TT_STR(", "));
        tt_json_write_text(tt_str(layout->columns[i].name), out);
        tt_buffer_append_str(out, TT_STR(": "));
        tt_json_write_text(tt_str(layout->columns[i].doc), out);
    }
    tt_buffer_append_byte(out, '}');
}

static void put_signal(struct tt_buffer *out, const struct dataset_set *set, unsigned signal)
{
    tt_buffer_printf(out, "\n    \"%s\": {", tt_signal_name(tt_signal_at(signal)));
    put_key(out, "\n      ", "rows");
    tt_buffer_append_uint64(out, set->rows[signal]);
    if (set->rows[signal] > 0) {
        put_key(out, ",\n      ", "first");
        put_time(out, set->min_ns[signal] == UINT64_MAX ? 0 : set->min_ns[signal]);
        put_key(out, ",\n      ", "last");
        put_time(out, set->max_ns[signal]);
        put_balance(out, set, signal);
        if (!set->other_columns[signal])
            put_columns(out, &set->layout->signals[signal]);
    }
    tt_buffer_append_str(out, TT_STR("\n    }"));
}

static void put_file(struct tt_buffer *out, const struct dataset_file *file, const char *digest)
{
    put_key(out, "{", "name");
    tt_json_write_text(tt_str(file->final_name), out);
    tt_buffer_printf(out, ", \"signal\": \"%s\", \"rows\": %llu, \"bytes\": %llu, \"sha256\": ",
                     tt_signal_name(tt_signal_at(file->signal)), (unsigned long long)file->rows,
                     (unsigned long long)file->size);
    if (digest[0] == '\0')
        tt_buffer_append_str(out, TT_STR("null}"));
    else
        tt_buffer_printf(out, "\"%s\"}", digest);
}

void dataset_manifest_write(const struct dataset_set *set,
                            const struct dataset_finish_options *options, const char (*digests)[65],
                            struct tt_buffer *out)
{
    const char *before = "";

    tt_buffer_append_str(out,
                         TT_STR("{\n  \"schema\": \"telltale.dataset/1\",\n  \"written_by\": "));
    tt_buffer_append_str(out, TT_STR("{\"name\": \"telltale\", \"version\": "));
    tt_json_write_text(tt_str(options->version), out);
    tt_buffer_printf(out, "},\n  \"stamp\": \"%s\",\n  \"recovered\": %s", set->stamp,
                     set->recovered ? "true" : "false");
    put_key(out, ",\n  ", "finished");
    put_time(out, options->wall_ns);
    put_key(out, ",\n  ", "signals");
    tt_buffer_append_byte(out, '{');
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        tt_buffer_append_str(out, i == 0 ? TT_STR("") : TT_STR(","));
        put_signal(out, set, i);
    }
    put_key(out, "\n  },\n  ", "files");
    tt_buffer_append_byte(out, '[');
    for (size_t i = 0; i < set->n_files; i++) {
        if (!set->files[i]->renamed)
            continue;
        tt_buffer_printf(out, "%s\n    ", before);
        put_file(out, set->files[i], digests[i]);
        before = ",";
    }
    tt_buffer_append_str(out, TT_STR("\n  ]\n}\n"));
}
