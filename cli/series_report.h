/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_SERIES_REPORT_H
#define TT_CLI_SERIES_REPORT_H

/*
 * What the detector said of every point of one series, and how it is shown: as lines of JSON, as text, as a picture.
 *
 * Ownership: the report owns its arrays; series and names are borrowed. Threads: one. Cost: 56 bytes a point.
 */

#include "base/buffer.h"
#include "cli/series_file.h"
#include "detect/series.h"

#define TT_SERIES_REPORT_MAX_SPANS ((size_t)10000)

/* Points first to last, one after the other in the file, that lie in one labelled window. */
struct tt_series_span {
    size_t first, last;
    char name[64]; /* the window's type */
    bool is_found; /* an alarm inside */
};

struct tt_series_report {
    const struct tt_series_file *file;
    struct tt_str name; /* of the series, for titles */
    struct tt_series_options options;
    uint64_t seed;
    bool has_windows;
    /* One a point. */
    double *score, *level, *lower, *upper;
    uint8_t *reason; /* enum tt_series_reason */
    uint8_t *alarm;
    size_t alarms, alarms_outside;
    struct tt_series_span *spans;
    size_t n_spans, n_found;
};

/* Scores all points. TT_NO_MEMORY. */
enum tt_status tt_series_report_make(struct tt_series_report *report, struct tt_error *err)
    TT_CHECKED;
/* Takes the spans from a file of label windows (model/windows.h) that concern `service` or everything. */
enum tt_status tt_series_report_label(struct tt_series_report *report, const char *path,
                                      struct tt_str service, struct tt_error *err) TT_CHECKED;
void tt_series_report_done(struct tt_series_report *report);

/* Writes one JSON object a line, a point each, to fd. */
enum tt_status tt_series_report_write_json(const struct tt_series_report *report, int fd,
                                           struct tt_error *err) TT_CHECKED;
void tt_series_report_text(const struct tt_series_report *report, struct tt_buffer *out);
/* Values with level, bands, alarms and windows; the score below. TT_NO_MEMORY. */
enum tt_status tt_series_report_draw(const struct tt_series_report *report, struct tt_buffer *out,
                                     struct tt_error *err) TT_CHECKED;

#endif
