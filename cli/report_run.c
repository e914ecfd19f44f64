/* SPDX-License-Identifier: Apache-2.0 */
/* Where a dataset is from: its manifests, and run.json, which a load test may have left beside them (docs/datasets.md). */
#include "cli/report.h"
#include "receivers/otlp_json_file/files.h"

#include <jansson.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PATH  4096
#define MAX_RUN   ((size_t)1 << 20)
#define MAX_DEPTH 4 /* of run.json's members that are shown */
#define MAX_FACT  300

static void add_fact(struct tt_report *report, struct tt_str name, struct tt_str value)
{
    for (size_t i = 0; i < report->n_facts; i++)
        if (tt_str_equal(report->facts[i].name, name) &&
            tt_str_equal(report->facts[i].value, value))
            return;
    if (report->n_facts == TT_REPORT_FACTS)
        return;
    if (value.len > MAX_FACT)
        value.len = MAX_FACT;
    name = tt_arena_copy(report->arena, name);
    value = tt_arena_copy(report->arena, value);
    if (name.data != NULL && value.data != NULL)
        report->facts[report->n_facts++] = (struct tt_report_fact){name, value};
}

/* ---- manifests ---- */

/* Whether it is one of the files that were read: those named "traces_labeled*.csv" and so on. */
static bool is_labeled(struct tt_str name)
{
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        struct tt_str signal = tt_str(tt_signal_name(tt_signal_at(i))), rest = name;
        if (!tt_str_starts_with(name, signal))
            continue;
        rest.data += signal.len;
        rest.len -= signal.len;
        return tt_str_starts_with(rest, TT_STR("_labeled")) &&
               tt_str_ends_with(rest, TT_STR(".csv"));
    }
    return false;
}

/* The newest set is also there under names without a stamp (latest/). */
static bool find_file(const char *directory, const char *name, struct tt_str stamp,
                      struct stat *info)
{
    char path[MAX_PATH];
    const char *at = stamp.len == 0 ? NULL : strstr(name, stamp.data);

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    if (stat(path, info) == 0)
        return true;
    if (at == NULL || at == name)
        return false;
    (void)snprintf(path, sizeof(path), "%s/%.*s.csv", directory, (int)(at - 1 - name), name);
    return stat(path, info) == 0;
}

static void check_file(struct tt_report *report, const char *directory, struct tt_str stamp,
                       const json_t *file)
{
    const char *name = json_string_value(json_object_get(file, "name"));
    struct stat info;

    if (name == NULL || strchr(name, '/') != NULL)
        return;
    report->listed_files += is_labeled(tt_str(name));
    if (!find_file(directory, name, stamp, &info) ||
        info.st_size != json_integer_value(json_object_get(file, "bytes")))
        report->changed_files++;
}

/* Keys and values live in the arena; what does not fit is left out. */
static void put_pair(struct tt_report *report, struct tt_map *map, const char *key,
                     const json_t *value)
{
    const char *text = json_string_value(value);
    struct tt_str kept = tt_arena_copy(report->arena, tt_str(key));
    struct tt_str copy = tt_arena_copy(report->arena, tt_str(text == NULL ? "" : text));

    if (text != NULL && kept.data != NULL && copy.data != NULL)
        (void)!tt_map_put(map, kept, (void *)(uintptr_t)copy.data);
}

static void read_manifest(struct tt_report *report, const char *directory, const char *path)
{
    json_t *manifest = json_load_file(path, JSON_REJECT_DUPLICATES, NULL), *item;
    const json_t *writer = json_object_get(manifest, "written_by");
    const char *name = json_string_value(json_object_get(writer, "name"));
    const char *version = json_string_value(json_object_get(writer, "version"));
    const char *stamp = json_string_value(json_object_get(manifest, "stamp"));
    const char *key;
    size_t i;

    if (manifest == NULL)
        return;
    report->sets++;
    report->recovered_sets += json_is_true(json_object_get(manifest, "recovered"));
    json_array_foreach(json_object_get(manifest, "files"), i, item)
        check_file(report, directory, tt_str(stamp == NULL ? "" : stamp), item);
    json_object_foreach(
        json_object_get(json_object_get(json_object_get(manifest, "signals"), "traces"),
                        "definitions"),
        key, item) put_pair(report, &report->definitions, key, item);
    if (name != NULL && version != NULL)
        add_fact(report, TT_STR("written by"), tt_report_text(report, "%s %s", name, version));
    json_decref(manifest);
}

static void list(const char *directory, const char *pattern, struct tt_files *files)
{
    if (tt_files_list_in(directory, pattern, files, NULL) != TT_OK)
        *files = (struct tt_files){.count = 0};
}

static void read_manifests(struct tt_report *report, const char *directory)
{
    struct tt_files files;

    list(directory, "manifest_*.json", &files);
    if (files.count == 0)
        list(directory, "manifest.json", &files);
    for (size_t i = 0; i < files.count; i++)
        read_manifest(report, directory, files.paths[i]);
    tt_files_done(&files);
    list(directory, "*.csv.partial", &files);
    report->unfinished_files = files.count;
    tt_files_done(&files);
}

/* ---- run.json ---- */

/* What is still to be shown: a member and its name. */
struct pending {
    const json_t *value;
    struct tt_str name;
    size_t depth;
};

static void show_plain(struct tt_report *report, const struct pending *member)
{
    char text[MAX_FACT];
    size_t len;

    if (json_is_string(member->value)) {
        add_fact(report, member->name, tt_str(json_string_value(member->value)));
        return;
    }
    len = json_dumpb(member->value, text, sizeof(text), JSON_ENCODE_ANY | JSON_COMPACT);
    if (len <= sizeof(text))
        add_fact(report, member->name, tt_str_of(text, len));
    else
        add_fact(report, member->name,
                 tt_report_text(report, "%zu entries", json_array_size(member->value)));
}

static size_t push_members(struct tt_report *report, const struct pending *of,
                           struct pending *stack, size_t n)
{
    const json_t *member;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)of->value, key, member)
    {
        if (n == TT_REPORT_FACTS)
            break;
        stack[n].value = member;
        stack[n].depth = of->depth + 1;
        stack[n++].name = of->name.len == 0
                              ? tt_report_text(report, "%.60s", key)
                              : tt_report_text(report, "%.*s.%.60s", TT_STR_ARG(of->name), key);
    }
    return n;
}

static void reverse(struct pending *items, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct pending kept = items[i];
        items[i] = items[n - 1 - i];
        items[n - 1 - i] = kept;
    }
}

static void show_run(struct tt_report *report, const json_t *run)
{
    struct pending stack[TT_REPORT_FACTS] = {{.value = run}};
    size_t n = 1;

    while (n > 0) {
        struct pending member = stack[--n];
        size_t before = n;
        if (!json_is_object(member.value) || member.depth == MAX_DEPTH) {
            show_plain(report, &member);
            continue;
        }
        n = push_members(report, &member, stack, n);
        reverse(stack + before, n - before); /* the first member is shown first */
    }
}

static char *read_whole(const char *path, size_t *ret_len)
{
    char *text = tt_malloc(MAX_RUN + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;

    *ret_len = 0;
    while (text != NULL && fd >= 0 && *ret_len <= MAX_RUN &&
           (n = read(fd, text + *ret_len, MAX_RUN + 1 - *ret_len)) > 0)
        *ret_len += (size_t)n;
    if (fd < 0 || n < 0) {
        tt_free(text);
        text = NULL;
    }
    if (fd >= 0)
        close(fd);
    return text;
}

/* How many spans each service says it ended. */
static void read_counts(struct tt_report *report, const json_t *spans)
{
    const json_t *value;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)spans, key, value)
    {
        struct tt_str service = tt_arena_copy(report->arena, tt_str(key));
        uint64_t *count = tt_arena_calloc(report->arena, 1, sizeof(*count));
        if (!json_is_integer(value) || json_integer_value(value) < 0 || service.data == NULL ||
            count == NULL)
            continue;
        *count = (uint64_t)json_integer_value(value);
        (void)!tt_map_put(&report->counted, service, count);
    }
}

static void read_outcome(struct tt_report *report, const json_t *run)
{
    const char *result = json_string_value(json_object_get(run, "result"));

    report->run_result = tt_report_text(report, "%.60s", result == NULL ? "" : result);
    report->died = json_object_size(json_object_get(run, "died"));
    read_counts(report, json_object_get(run, "spans"));
}

static void read_run(struct tt_report *report, const char *directory)
{
    char path[MAX_PATH];
    const char *key;
    json_t *run, *value;
    size_t len;
    char *text;

    (void)snprintf(path, sizeof(path), "%s/run.json", directory);
    text = read_whole(path, &len);
    if (text == NULL)
        return;
    run = len > MAX_RUN ? NULL : json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    report->has_run = json_is_object(run);
    report->bad_run = !report->has_run;
    if (report->has_run) {
        json_object_foreach(json_object_get(run, "faults"), key, value)
            put_pair(report, &report->faults, key, value);
        read_outcome(report, run);
        show_run(report, run);
    }
    json_decref(run);
    tt_free(text);
}

void tt_report_read_sources(struct tt_report *report)
{
    struct stat info;

    if (stat(report->path.data, &info) != 0 || !S_ISDIR(info.st_mode))
        return;
    report->is_directory = true;
    read_manifests(report, report->path.data);
    read_run(report, report->path.data);
}
