/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "detect/stream_internal.h"

#include <math.h>
#include <stdlib.h>

#define SCORES_KEPT    16384
#define SUSPECT_WEIGHT 0.125
#define SUSPECT_SCORE \
    0.833F /* combined: 2.3 deviations; a threshold below it makes no row suspect by itself */
#define INCIDENT_SCORE  0.667F /* combined: one deviation; what is suspect while an incident lasts */
#define INCIDENT_RATE   3.0    /* times the contamination: so many alarms begin one */
#define INCIDENT_OVER   1.5    /* the same: fewer end it */
#define LEAST_TRUST     (-6.0) /* log2 of what its rows count at first */
#define TRUST_DOUBLINGS 4.0    /* each half-life that it lasts */
#define RATE_ROWS       1000   /* that the rate of alarms is averaged over */
#define SLEW            0.2    /* of the threshold, on the scale of odds, each half-life */
#define FEW_ALARMS      40     /* as many scores over the threshold make it worth estimating */
#define MOST_ROWS       1000000
#define HOUR            INT64_C(3600000000000)

struct tt_stream_job {
    struct tt_forest_options options;
    uint64_t seed, generation;
    int64_t when;
    struct tt_rows rows;
    float *x;
    float *scores;
    size_t n_scores;
    struct tt_forest *forest;
    float target; /* threshold by the scores; NaN: too few */
};

/* ---- life ---- */

struct tt_stream_forest_options tt_stream_forest_options_default(void)
{
    return (struct tt_stream_forest_options){
        .forest = tt_forest_options_default(),
        .recent = 2048,
        .long_run = 2048,
        .half_life = 2 * HOUR,
        .long_half_life = 48 * HOUR,
        .first_rows = 64,
        .retrain_after = HOUR / 6,
    };
}

static enum tt_status check_options(const struct tt_stream_forest_options *options,
                                    uint32_t columns, struct tt_error *err)
{
    enum tt_status status = tt_forest_options_check(&options->forest, err);

    if (status != TT_OK)
        return status;
    if (columns == 0 || columns > TT_FOREST_MAX_COLUMNS)
        return tt_fail(err, TT_INVALID_DATA, "columns: %u is not between 1 and %d", columns,
                       TT_FOREST_MAX_COLUMNS);
    if (options->recent < 16 || options->recent > MOST_ROWS)
        return tt_fail(err, TT_INVALID_DATA, "recent: %u is not between 16 and %d", options->recent,
                       MOST_ROWS);
    if (options->long_run < 16 || options->long_run > MOST_ROWS)
        return tt_fail(err, TT_INVALID_DATA, "long_run: %u is not between 16 and %d",
                       options->long_run, MOST_ROWS);
    if (options->half_life <= 0 || options->long_half_life < 0)
        return tt_fail(err, TT_INVALID_DATA, "half_life: not positive");
    if (options->retrain_after < 0)
        return tt_fail(err, TT_INVALID_DATA, "retrain_after: negative");
    if (options->first_rows < 2)
        return tt_fail(err, TT_INVALID_DATA, "first_rows: less than 2");
    return TT_OK;
}

enum tt_status tt_stream_forest_new(const struct tt_stream_forest_options *options,
                                    uint32_t columns, uint64_t seed,
                                    struct tt_stream_forest **ret_stream, struct tt_error *err)
{
    enum tt_status status = check_options(options, columns, err);
    struct tt_stream_forest *stream;

    *ret_stream = NULL;
    if (status != TT_OK)
        return status;
    stream = tt_calloc(1, sizeof(*stream));
    if (stream == NULL)
        return tt_fail(err, TT_NO_MEMORY, "begin a stream");
    stream->options = *options;
    stream->seed = seed;
    stream->threshold = 1.0F;
    stream->next_rows = options->first_rows;
    stream->recent = tt_reservoir_new(columns, options->recent, options->half_life, seed);
    stream->long_run =
        tt_reservoir_new(columns, options->long_run, options->long_half_life, seed + 1);
    stream->scores = tt_reservoir_new(1, SCORES_KEPT, options->long_half_life, seed + 2);
    if (stream->recent == NULL || stream->long_run == NULL || stream->scores == NULL) {
        tt_stream_forest_free(stream);
        return tt_fail(err, TT_NO_MEMORY, "begin a stream of %u columns", columns);
    }
    *ret_stream = stream;
    return TT_OK;
}

void tt_stream_forest_free(struct tt_stream_forest *stream)
{
    if (stream == NULL)
        return;
    tt_reservoir_free(stream->recent);
    tt_reservoir_free(stream->long_run);
    tt_reservoir_free(stream->scores);
    tt_forest_unref(stream->forest);
    tt_free(stream->scratch);
    tt_free(stream);
}

struct tt_forest *tt_stream_forest_current(const struct tt_stream_forest *stream)
{
    return stream->forest == NULL ? NULL : tt_forest_ref(stream->forest);
}

float tt_stream_forest_threshold(const struct tt_stream_forest *stream)
{
    return stream->threshold;
}

uint64_t tt_stream_forest_learnt(const struct tt_stream_forest *stream)
{
    return stream->learnt;
}

/* ---- learning ---- */

/* An incident begins when far more rows are alarms than there should be, and ends when nearly as few are. */
static void watch(struct tt_stream_forest *stream, bool alarm, int64_t now)
{
    double usual = stream->options.forest.contamination;

    stream->alarm_rate += (alarm - stream->alarm_rate) / RATE_ROWS;
    if (!stream->incident && stream->alarm_rate > INCIDENT_RATE * usual)
        stream->incident_began = now;
    stream->incident =
        stream->alarm_rate > (stream->incident ? INCIDENT_OVER : INCIDENT_RATE) * usual;
}

/* What an incident's rows count: little at first, more the longer it lasts, for what stays is no fault. */
static double trust(const struct tt_stream_forest *stream, int64_t now)
{
    double age = (double)now - (double)stream->incident_began, doublings;

    if (!stream->incident)
        return 1.0;
    doublings = TRUST_DOUBLINGS * age / (double)stream->options.half_life;
    doublings = doublings > 0.0 ? doublings : 0.0;
    return doublings < -LEAST_TRUST ? tt_exp2(LEAST_TRUST + doublings) : 1.0;
}

/* What a row counts when it is learnt: in an incident, those that only lean the same way as alarms count less too. */
static double weight_of(const struct tt_stream_forest *stream, float score, double trusted)
{
    bool suspect = score >= stream->threshold;

    if (stream->options.forest.metric == TT_METRIC_COMBINED) {
        suspect = suspect && score >= SUSPECT_SCORE;
        if (stream->incident && score >= INCIDENT_SCORE)
            return trusted;
    }
    if (!suspect)
        return 1.0;
    return trusted < SUSPECT_WEIGHT ? trusted : SUSPECT_WEIGHT;
}

/* Learns a score and returns what its row counts. In an incident all scores count less, alarms or not: the threshold still goes to
 * where the share of alarms is right, but slowly. */
static double learn_score(struct tt_stream_forest *stream, const float *score, int64_t now)
{
    double trusted;

    watch(stream, *score >= stream->threshold, now);
    trusted = trust(stream, now);
    if (stream->mature)
        tt_reservoir_add(stream->scores, score, now, trusted);
    return weight_of(stream, *score, trusted);
}

void tt_stream_forest_learn(struct tt_stream_forest *stream, const struct tt_rows *rows,
                            const int64_t *when, const float *scores)
{
    for (size_t i = 0; i < rows->count; i++) {
        int64_t now = when == NULL ? (int64_t)stream->learnt : when[i];
        bool scored = scores != NULL && !isnan(scores[i]);
        double weight = scored ? learn_score(stream, &scores[i], now) : 1.0;
        if (stream->learnt++ == 0)
            stream->trained_at = now;
        tt_reservoir_add(stream->recent, tt_row(rows, i), now, weight);
        tt_reservoir_add(stream->long_run, tt_row(rows, i), now, weight);
    }
}

static bool due_at(const struct tt_stream_forest *stream, uint64_t learnt, int64_t when)
{
    if (learnt >= stream->next_rows)
        return true;
    /* Time goes on in wide steps: the subtraction is made where it cannot overflow. */
    return stream->forest != NULL && stream->options.retrain_after > 0 &&
           (double)when - (double)stream->trained_at >= (double)stream->options.retrain_after;
}

bool tt_stream_forest_due(const struct tt_stream_forest *stream, int64_t when)
{
    return due_at(stream, stream->learnt, when);
}

/* ---- training ---- */

static void plan_next(struct tt_stream_forest *stream, int64_t when)
{
    uint64_t doubled = 2 * stream->learnt, by_count = stream->options.retrain_rows;

    stream->trained_at = when;
    stream->next_rows = doubled < stream->options.first_rows ? stream->options.first_rows : doubled;
    if (by_count > 0 && stream->learnt + by_count < stream->next_rows)
        stream->next_rows = stream->learnt + by_count;
}

enum tt_status tt_stream_job_new(struct tt_stream_forest *stream, int64_t when,
                                 struct tt_stream_job **ret_job, struct tt_error *err)
{
    struct tt_rows recent = tt_reservoir_rows(stream->recent);
    struct tt_rows long_run = tt_reservoir_rows(stream->long_run);
    struct tt_rows scores = tt_reservoir_rows(stream->scores);
    size_t columns = recent.columns, count = recent.count + long_run.count;
    struct tt_stream_job *job = tt_calloc(1, sizeof(*job));

    *ret_job = job;
    plan_next(stream, when);
    if (job == NULL)
        return tt_fail(err, TT_NO_MEMORY, "copy a sample");
    job->x = tt_malloc(count * columns * sizeof(*job->x) + 1);
    job->scores = tt_malloc(scores.count * sizeof(*job->scores) + 1);
    if (job->x == NULL || job->scores == NULL) {
        tt_stream_job_free(TT_TAKE(*ret_job));
        return tt_fail(err, TT_NO_MEMORY, "copy a sample of %zu rows", count);
    }
    job->options = stream->options.forest;
    job->seed = stream->seed;
    job->generation = stream->generation++;
    job->when = when;
    job->rows = (struct tt_rows){job->x, count, columns, recent.columns};
    memcpy(job->x, recent.x, recent.count * columns * sizeof(*job->x));
    memcpy(job->x + recent.count * columns, long_run.x, long_run.count * columns * sizeof(*job->x));
    job->n_scores = scores.count;
    memcpy(job->scores, scores.x, scores.count * sizeof(*job->scores));
    return TT_OK;
}

static int compare_scores(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* The score that the share `contamination` of those kept reaches. */
static float threshold_of_scores(struct tt_stream_job *job)
{
    size_t over = (size_t)(job->options.contamination * (double)job->n_scores);

    if (over < FEW_ALARMS)
        return NAN;
    qsort(job->scores, job->n_scores, sizeof(*job->scores), compare_scores);
    return job->scores[job->n_scores - over];
}

enum tt_status tt_stream_job_train(struct tt_stream_job *job, struct tt_error *err)
{
    job->target = threshold_of_scores(job);
    return tt_forest_train(&job->options, &job->rows, NULL, job->seed, job->generation,
                           &job->forest, err);
}

void tt_stream_job_free(struct tt_stream_job *job)
{
    if (job == NULL)
        return;
    tt_forest_unref(job->forest);
    tt_free(job->x);
    tt_free(job->scores);
    tt_free(job);
}

/* ---- swapping ---- */

static double odds_of(float score)
{
    double s = (double)score;

    s = s > 1e-9 ? s : 1e-9;
    s = s < 1.0 - 1e-9 ? s : 1.0 - 1e-9;
    return tt_log2(s / (1.0 - s));
}

static float score_of_odds(double odds)
{
    return (float)(1.0 / (1.0 + tt_exp2(-odds)));
}

/* From the old threshold towards the target, as far as the time that passed allows. */
static float slew(const struct tt_stream_forest *stream, const struct tt_stream_job *job)
{
    double half_life = (double)stream->options.half_life;
    double most = SLEW * ((double)job->when - (double)stream->moved) / half_life;
    double from = odds_of(stream->threshold), to = odds_of(job->target);

    if (!stream->settled)
        return job->target;
    most = most > 0.0 ? most : 0.0;
    if (to > from + most)
        return score_of_odds(from + most);
    return to < from - most ? score_of_odds(from - most) : job->target;
}

void tt_stream_job_swap(struct tt_stream_forest *stream, struct tt_stream_job *job)
{
    bool older = stream->forest != NULL && job->generation < tt_forest_generation(stream->forest);

    if (job->forest == NULL || older)
        return;
    tt_forest_unref(stream->forest);
    stream->forest = TT_TAKE(job->forest);
    stream->mature =
        job->rows.count >= ((size_t)stream->options.recent + stream->options.long_run) / 4 * 3;
    if (job->options.threshold > 0.0 || (isnan(job->target) && !stream->settled)) {
        stream->threshold = tt_forest_threshold(stream->forest);
    } else if (!isnan(job->target)) {
        stream->threshold = slew(stream, job);
        stream->settled = true;
        stream->moved = job->when;
    }
}

/* ---- the whole cycle ---- */

static enum tt_status retrain(struct tt_stream_forest *stream, int64_t when, struct tt_error *err)
{
    struct tt_stream_job *job;
    enum tt_status status = tt_stream_job_new(stream, when, &job, err);

    if (job == NULL)
        return status;
    if (status == TT_OK)
        status = tt_stream_job_train(job, err);
    if (status == TT_OK)
        tt_stream_job_swap(stream, job);
    tt_stream_job_free(job);
    if (status == TT_OK && stream->scratch == NULL)
        stream->scratch = tt_malloc(tt_forest_scratch_size(stream->forest));
    if (status == TT_OK && stream->scratch == NULL)
        status = tt_fail(err, TT_NO_MEMORY, "score a stream");
    return status;
}

static void score(const struct tt_stream_forest *stream, const struct tt_rows *rows,
                  float *ret_scores)
{
    if (stream->forest != NULL && stream->scratch != NULL) {
        tt_forest_score(stream->forest, rows, ret_scores, stream->scratch);
        return;
    }
    for (size_t i = 0; i < rows->count; i++)
        ret_scores[i] = NAN;
}

enum tt_status tt_stream_forest_push(struct tt_stream_forest *stream, const struct tt_rows *rows,
                                     const int64_t *when, float *ret_scores, struct tt_error *err)
{
    enum tt_status status = TT_OK;

    for (size_t from = 0; from < rows->count;) {
        size_t count = 1;
        struct tt_rows some = {tt_row(rows, from), 0, rows->stride, rows->columns};
        int64_t now = when == NULL ? (int64_t)stream->learnt : when[from];
        if (due_at(stream, stream->learnt, now)) {
            enum tt_status trained = retrain(stream, now, err);
            status = trained == TT_OK ? status : trained;
        }
        while (from + count < rows->count &&
               !due_at(stream, stream->learnt + count,
                       when == NULL ? now + (int64_t)count : when[from + count]))
            count++;
        some.count = count;
        score(stream, &some, ret_scores + from);
        tt_stream_forest_learn(stream, &some, when == NULL ? NULL : when + from, ret_scores + from);
        from += count;
    }
    return status;
}
