/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_REPORT_H
#define TT_CLI_REPORT_H

/*
 * What `telltale dataset report` says of a dataset: computed from what was read (dataset_stats.h), written as text, JSON or HTML.
 *
 * Baseline: spans that somebody labelled none or normal; where nobody labelled any, all that are not anomalous.
 * Types:    the TT_REPORT_TYPES most frequent anomalous ones each, the rest together as the last.
 * Blocks:   a stretch of time in which traces of one type began (report_blocks.c); the repeats of effects.
 * Service:  where a type is measured: that which run.json names, else the one in which the time that a trace takes longer is spent, or where
 *           errors begin (report_faults.c).
 *
 * Ownership: tt_report_done(); views live as long as the stats and the report.  Threads: one.
 * Cost:      after reading, O(spans log spans); 30 bytes a span more.
 */

#include "base/buffer.h"
#include "base/clock.h"
#include "cli/dataset_stats.h"
#include "cli/report_math.h"
#include "detect/rank.h"

#include <math.h>

#define TT_REPORT_TYPES     24                    /* with types of their own */
#define TT_REPORT_GROUPS    (TT_REPORT_TYPES + 2) /* 0: baseline; the last: all other types */
#define TT_REPORT_SERVICES  32
#define TT_REPORT_BLOCKS    2048
#define TT_REPORT_LEAKS     64
#define TT_REPORT_ORPHANS   16
#define TT_REPORT_CHECKS    24
#define TT_REPORT_FACTS     128
#define TT_REPORT_MIN_SPANS 20 /* fewer are not compared */
#define TT_REPORT_LEAK_AUC  0.99
#define TT_REPORT_NO_GROUP  UINT32_MAX

struct tt_dist {
    uint64_t count;
    double min, p10, q1, median, q3, p90, p99, max; /* ns; NaN of none */
};

/* Spans of one service in one group. */
struct tt_report_cell {
    uint64_t spans, errors;
    uint64_t own_errors; /* errors without one below them */
    double own_ns;       /* sum of own times: durations less those of the spans they called */
    double median;       /* of durations */
    double superiority;  /* of durations over the baseline's; NaN: too few */
};

enum tt_shows { TT_SHOWS_UNKNOWN, TT_SHOWS_NOT, TT_SHOWS_WEAKLY, TT_SHOWS_CLEARLY };

struct tt_report_service {
    const struct tt_stats_name *name;
    struct tt_report_cell cells[TT_REPORT_GROUPS];
};

struct tt_report_group {
    struct tt_str name;
    uint64_t spans, traces, errors, labelled;
    uint32_t services; /* that its spans are from */
    uint32_t blocks;
    struct tt_dist durations;       /* of all its spans */
    struct tt_dist trace_durations; /* of roots, or of the longest span of traces without one */
    double superiority;             /* of a trace's duration over a baseline trace's */
    /* in the service where the fault is: entry spans (SERVER, CONSUMER), or all spans where there are too few of them */
    uint32_t service; /* index; TT_REPORT_NO_GROUP: none */
    bool is_guessed, by_entry;
    struct tt_dist here, here_baseline;
    uint64_t here_errors, here_baseline_errors;
    double here_superiority;
    struct tt_effect log_ratio;  /* of block medians: ln(type) - ln(baseline) */
    struct tt_effect error_rate; /* of block error rates */
    enum tt_shows shows;
};

struct tt_report_block {
    uint32_t group;
    uint64_t first_ns, last_ns; /* starts of its first and last trace */
    uint32_t traces;
};

struct tt_report_leak {
    struct tt_str column;
    double roc_auc;
    struct tt_str type; /* empty: all anomalous types together; else this one alone */
    bool by_number;
};

/* Missing parents that are explained by one cause. */
enum tt_orphan_cause {
    TT_ORPHAN_LOST,     /* a service that is here lost spans */
    TT_ORPHAN_CALLER,   /* the usual caller of these spans, which is here, lost them */
    TT_ORPHAN_ENTRY,    /* who began the trace sends no spans */
    TT_ORPHAN_STRANGER, /* a caller of which no span is here */
};
struct tt_report_orphans {
    enum tt_orphan_cause cause;
    struct tt_str
        service; /* whose spans are missing; of ENTRY and STRANGER the service they called */
    uint64_t children, parents; /* spans without their parent; distinct parents */
    uint64_t present;           /* spans of `service` that are here */
    bool at_begin, at_end;      /* nine of ten in the first or last 10 s */
};

/* What a threshold on durations alone reaches on held-out traces. */
struct tt_report_trivial {
    uint64_t train, held_out; /* rows */
    double roc_auc;
    double threshold_ns, precision, recall, f1; /* the threshold with the best F1 in training */
    double always_f1;                           /* of calling everything anomalous */
    struct tt_ranking ranking;                  /* held out */
};

enum tt_verdict { TT_CHECK_PASS, TT_CHECK_WARN, TT_CHECK_FAIL, TT_CHECK_UNKNOWN };
struct tt_report_check {
    const char *id; /* stable, for programs */
    const char *title;
    enum tt_verdict verdict;
    struct tt_str finding, advice; /* sentences; advice may be empty */
};

/* A line of where the data are from: "machine.cores": "8". */
struct tt_report_fact {
    struct tt_str name, value;
};

struct tt_report {
    struct tt_stats *stats;
    struct tt_arena *arena; /* the stats' */
    struct tt_str path;
    /* manifests and run.json */
    bool is_directory; /* else one file, whose manifest is not looked for */
    size_t sets, recovered_sets, unfinished_files, changed_files;
    size_t listed_files; /* labeled ones that a manifest names */
    struct tt_report_fact facts[TT_REPORT_FACTS];
    size_t n_facts;
    struct tt_map definitions; /* column -> NUL-terminated text */
    struct tt_map faults;      /* type -> NUL-terminated service */
    bool has_run, bad_run;
    struct tt_str run_result; /* "done", "interrupted", …; empty: not said */
    size_t died;              /* services that ended in the middle */
    struct tt_map counted;    /* service -> uint64_t: spans that it counted itself */
    /* types and services */
    bool baseline_is_labelled;
    struct tt_report_group groups[TT_REPORT_GROUPS];
    size_t n_groups; /* baseline, types, and others when has_others */
    bool has_others;
    uint64_t other_types;
    uint32_t *group_of; /* by number of a type; of unlabelled normal spans see tt_report_group_of */
    uint32_t *
        order; /* spans by service and group: slices [offsets[i], offsets[i + 1]) of tt_report_slice() */
    size_t offsets[TT_REPORT_SERVICES * TT_REPORT_GROUPS + 1];
    struct tt_report_service services[TT_REPORT_SERVICES];
    size_t n_services;
    uint32_t *service_of;     /* by number of a service; TT_REPORT_NO_GROUP: none of these */
    uint64_t silent_services; /* that never brought a label of their own */
    struct tt_report_block *blocks;
    size_t n_blocks;
    bool is_mixed; /* types alternate from trace to trace: blocks are eighths of the run */
    struct tt_report_orphans orphans[TT_REPORT_ORPHANS];
    size_t n_orphans;
    struct tt_report_leak leaks[TT_REPORT_LEAKS]; /* over TT_REPORT_LEAK_AUC, the worst first */
    size_t n_leaks;
    struct tt_report_leak columns[TT_REPORT_LEAKS]; /* the best columns, whatever they reach */
    size_t n_columns;
    double time_auc; /* of the start of traces as a score, whichever way round; NaN: not known */
    struct tt_report_trivial trivial_spans, trivial_traces;
    struct tt_report_check checks[TT_REPORT_CHECKS];
    size_t n_checks;
    enum tt_verdict verdict;
};

/* Computes everything from stats that were read from `path`. The report is to be given to tt_report_done() in every case. */
enum tt_status tt_report_make(struct tt_report *report, struct tt_stats *stats, const char *path,
                              struct tt_error *err) TT_CHECKED;
void tt_report_done(struct tt_report *report);

/* ---- parts, in order; each fills its members ---- */

void tt_report_read_sources(struct tt_report *report); /* report_run.c */
enum tt_status tt_report_find_groups(struct tt_report *report, struct tt_error *err) TT_CHECKED;
enum tt_status tt_report_find_blocks(struct tt_report *report, struct tt_error *err) TT_CHECKED;
enum tt_status tt_report_measure_groups(struct tt_report *report, struct tt_error *err) TT_CHECKED;
enum tt_status tt_report_measure_faults(struct tt_report *report, struct tt_error *err) TT_CHECKED;
enum tt_status tt_report_find_orphans(struct tt_report *report, struct tt_error *err) TT_CHECKED;
enum tt_status tt_report_find_leaks(struct tt_report *report, struct tt_error *err) TT_CHECKED;
void tt_report_check(struct tt_report *report);

/* ---- what the parts share ---- */

/* The group of a span; TT_REPORT_NO_GROUP: unknown, or normal without a label where others have one. */
uint32_t tt_report_group_of(const struct tt_report *report, uint32_t type, bool labelled);
/* Indices of the spans of a service in a group. */
static inline const uint32_t *tt_report_slice(const struct tt_report *report, size_t service,
                                              size_t group, size_t *ret_count)
{
    size_t cell = service * TT_REPORT_GROUPS + group;

    *ret_count = report->offsets[cell + 1] - report->offsets[cell];
    return report->order + report->offsets[cell];
}
struct tt_dist tt_dist_of(double *values, size_t n);  /* sorts values */
const char *tt_verdict_name(enum tt_verdict verdict); /* "pass", "warn", "fail", "unknown" */
const char *tt_shows_name(enum tt_shows shows);       /* "no", "weakly", "clearly", "unknown" */
/* A sentence for an entry of orphans, in the arena. */
struct tt_str tt_orphans_sentence(struct tt_report *report,
                                  const struct tt_report_orphans *orphans);
/* A name from outside made fit for one line: cut at 48 bytes, control characters and marks of direction as "?", "(empty)". In the arena. */
struct tt_str tt_report_clean(struct tt_report *report, struct tt_str name);
/* "1,234,567", with a NUL. */
const char *tt_report_count(struct tt_report *report, uint64_t value);
/* Time that a service spends by itself in an average trace of a group, in ns. */
static inline double tt_report_own_time(const struct tt_report *report, size_t service,
                                        size_t group)
{
    uint64_t traces = report->groups[group].traces;

    return traces == 0 ? 0 : report->services[service].cells[group].own_ns / (double)traces;
}
/* printf into the arena; empty when memory is gone. */
struct tt_str tt_report_text(struct tt_report *report, const char *format, ...) TT_PRINTF(2, 3);

static inline double tt_share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : (double)part / (double)whole;
}

/* ---- writing ---- */

void tt_report_put_text(struct tt_report *report, struct tt_buffer *out);
void tt_report_put_json(struct tt_report *report, struct tt_buffer *out);
void tt_report_put_html(struct tt_report *report, struct tt_buffer *out);

#endif
