/* The head of FactorNetwork (model/factor_network.py) for pairs of rows of its two tables, in one pass.
 *
 * train/compile_head.py compiles it into the archive, and model/compiled_head.py calls it. The names are those of
 * the network: k = 1 + factors, h hidden units, levels of the rating. A row is 2 k + h wide.
 *
 * LANES pairs are computed side by side: each loop over `lane` becomes a few vector instructions. */
#include <stdint.h>
#include <string.h>

/* MOST factors, hidden units and levels: model/compiled_head.py checks this. */
enum { MOST = 256, LANES = 16, CACHE_LINE = 16 };

struct head {
    int64_t k, h, levels, num_users, num_movies; /* numbers of rows, those of the unknown included */
    float offset, slope, rating_weight, lowest, highest;
    const float *users, *movies;        /* (num_users, 2 k + h), (num_movies, 2 k + h) */
    const float *columns;               /* (2 k + h, num_movies): movies, transposed; or NULL */
    const float *mix, *bend;            /* (k - 1, h) and (h): ordinal.mix, transposed, and ordinal.slope */
    const float *out, *skip, *bias;     /* (h, levels), (levels), (levels): ordinal.out, transposed */
    const float *unit;                  /* (levels) */
};

/* The loader chooses the copy that suits the processor best. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__gnu_linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define EACH_LANE for (int lane = 0; lane < LANES; lane++)
#define INLINE static inline __attribute__((always_inline))

INLINE float clamp(float value, float low, float high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

/* exp(x) for x <= 0, to a relative 2e-7: 2^n times a polynomial of the rest. */
INLINE float exp_of(float x) {
    x = x < -87.0f ? -87.0f : x;
    const float shifted = x * 1.44269504f + 12582912.0f; /* adding 1.5 * 2^23 rounds to a whole number */
    const float n = shifted - 12582912.0f;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    union { int32_t whole; float value; } power = {.whole = ((int32_t)n + 127) * (1 << 23)};
    return p * power.value;
}

INLINE const float *row_of(const struct head *head, const float *fold_ins, int64_t user) {
    const int64_t width = 2 * head->k + head->h, folded = user - head->num_users;
    return folded < 0 ? head->users + user * width : fold_ins + folded * width;
}

INLINE void prefetch(const float *row, int64_t width) {
    for (int64_t i = 0; i < width; i += CACHE_LINE) __builtin_prefetch(row + i);
}

/* Writes what two rows give together into the column `lane`: the blocks' products, and sums of all else. */
INLINE void join(const float *user, const float *movie, int64_t k, int64_t width, float joined[][LANES], int64_t lane) {
    float row[3 * MOST];
    for (int64_t i = 0; i < width; i++) row[i] = user[i] + movie[i];
    for (int64_t i = 1; i < k; i++) row[i] = user[i] * movie[i];
    for (int64_t i = k + 1; i < 2 * k; i++) row[i] = user[i] * movie[i];
    for (int64_t i = 0; i < width; i++) joined[i][lane] = row[i];
}

/* The same for all lanes: one user, and movies whose rows follow each other; `columns` begins with the first. */
INLINE void join_range(const float *user, const float *columns, int64_t num_movies, int64_t k, int64_t width,
                       float joined[][LANES]) {
    for (int64_t i = 0; i < width; i++) {
        const float *movie = columns + i * num_movies;
        if (i == 0 || i == k || i >= 2 * k)
            EACH_LANE joined[i][lane] = user[i] + movie[lane];
        else
            EACH_LANE joined[i][lane] = user[i] * movie[lane];
    }
}

/* Whether LANES pairs are one user with movies whose rows follow each other. */
INLINE int is_range(const int64_t *user_rows, const int64_t *movie_rows) {
    int64_t other = 0;
    EACH_LANE other |= (user_rows[lane] ^ user_rows[0]) | (movie_rows[lane] ^ (movie_rows[0] + lane));
    return other == 0;
}

/* A block's scores b_u + c_m + u . v, from its k rows of `joined`. */
INLINE void score(float block[][LANES], int64_t k, float *scores) {
    float sum[LANES];
    memcpy(sum, block[0], sizeof sum);
    for (int64_t i = 1; i < k; i++) EACH_LANE sum[lane] += block[i][lane];
    memcpy(scores, sum, sizeof sum);
}

/* The expected unit scores under the ordinal network. */
INLINE void ordinal(const struct head *head, float joined[][LANES], float *units) {
    const int64_t k = head->k, h = head->h, levels = head->levels;
    float (*const product)[LANES] = joined + k + 1, (*const tower)[LANES] = joined + 2 * k;
    float hidden[MOST][LANES], logit[MOST][LANES], at[LANES], top[LANES], total[LANES], sum[LANES];
    score(joined + k, k, at);
    EACH_LANE at[lane] = clamp(at[lane], head->lowest, head->highest);
    for (int64_t j = 0; j < h; j++) {
        float one[LANES];
        EACH_LANE one[lane] = tower[j][lane] + at[lane] * head->bend[j];
        for (int64_t i = 0; i < k - 1; i++) EACH_LANE one[lane] += product[i][lane] * head->mix[i * h + j];
        EACH_LANE hidden[j][lane] = one[lane] > 0 ? one[lane] : 0;
    }
    for (int64_t l = 0; l < levels; l++) {
        float one[LANES];
        EACH_LANE one[lane] = head->bias[l] + head->skip[l] * at[lane];
        for (int64_t j = 0; j < h; j++) EACH_LANE one[lane] += hidden[j][lane] * head->out[j * levels + l];
        memcpy(logit[l], one, sizeof one);
    }
    memcpy(top, logit[0], sizeof top);
    for (int64_t l = 1; l < levels; l++) EACH_LANE top[lane] = logit[l][lane] > top[lane] ? logit[l][lane] : top[lane];
    EACH_LANE total[lane] = sum[lane] = 0;
    for (int64_t l = 0; l < levels; l++) {
        float weight[LANES];
        EACH_LANE weight[lane] = exp_of(logit[l][lane] - top[lane]);
        EACH_LANE total[lane] += weight[lane];
        EACH_LANE sum[lane] += weight[lane] * head->unit[l];
    }
    EACH_LANE units[lane] = sum[lane] / total[lane];
}

INLINE void score_lanes(const struct head *head, float joined[][LANES], float *units) {
    float straight[LANES];
    score(joined, head->k, straight);
    EACH_LANE straight[lane] = clamp(head->offset + head->slope * straight[lane], 0, 1);
    ordinal(head, joined, units);
    EACH_LANE units[lane] = clamp(units[lane] + head->rating_weight * (straight[lane] - units[lane]), 0, 1);
}

/* The place of the first pair whose rows no table has, or n. */
INLINE int64_t first_outside(int64_t n, const int64_t *user_rows, int64_t num_users, const int64_t *movie_rows,
                             int64_t num_movies) {
    for (int64_t pair = 0; pair < n; pair++) {
        const int64_t u = user_rows[pair], m = movie_rows[pair];
        if (u < 0 || u >= num_users || m < 0 || m >= num_movies) return pair;
    }
    return n;
}

/* Unit scores of n pairs of rows. User rows from num_users on are rows of `fold_ins`. Returns n, or the place of a pair
 * whose rows no table has. */
FOR_EACH_PROCESSOR
int64_t score_pairs(const struct head *head, int64_t n, const int64_t *user_rows, const int64_t *movie_rows,
                    const float *fold_ins, int64_t num_fold_ins, float *units) {
    const int64_t k = head->k, width = 2 * k + head->h, num_users = head->num_users;
    const int64_t outside = first_outside(n, user_rows, num_users + num_fold_ins, movie_rows, head->num_movies);
    float joined[3 * MOST][LANES], found[LANES];
    if (outside < n) return outside;
    memset(joined, 0, width * sizeof joined[0]); /* the last pairs may leave lanes empty */
    for (int64_t start = 0; start < n; start += LANES) {
        const int64_t *users = user_rows + start, *movies = movie_rows + start;
        const int64_t number = n - start;
        /* Users are spread over a large table: the rows of the next lanes are on their way while these are computed. */
        for (int64_t lane = LANES; lane < 2 * LANES && lane < number; lane++)
            if (users[lane] != users[lane - 1]) prefetch(row_of(head, fold_ins, users[lane]), width);
        if (head->columns && number >= LANES && is_range(users, movies))
            join_range(row_of(head, fold_ins, users[0]), head->columns + movies[0], head->num_movies, k, width, joined);
        else
            for (int64_t lane = 0; lane < LANES && lane < number; lane++)
                join(row_of(head, fold_ins, users[lane]), head->movies + movies[lane] * width, k, width, joined, lane);
        score_lanes(head, joined, found);
        memcpy(units + start, found, (number < LANES ? number : LANES) * sizeof(float));
    }
    return n;
}
