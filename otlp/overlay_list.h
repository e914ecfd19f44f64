/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_OVERLAY_LIST_H
#define TT_OTLP_OVERLAY_LIST_H

/*
 * What struct tt_overlay is: one edit, linked to the older ones. Private to otlp/.
 *
 * Invariant: an edit never changes once it is linked, so that the clones of a batch share it; a list holds at most one edit
 *            of each key, one name and one status.
 */

#include "otlp/overlay.h"

enum tt_edit_kind { TT_EDIT_SET, TT_EDIT_DELETE, TT_EDIT_NAME, TT_EDIT_STATUS };

struct tt_overlay {
    struct tt_overlay *older;
    enum tt_edit_kind kind;
    int32_t code;          /* STATUS */
    struct tt_str key;     /* SET, DELETE: the key; NAME: the name; STATUS: the message */
    struct tt_value value; /* SET */
};

/* The newest edit of that attribute (SET or DELETE), or NULL. overlay may be NULL. */
static inline const struct tt_overlay *tt_overlay_attribute(const struct tt_overlay *overlay,
                                                            struct tt_str key)
{
    for (; overlay != NULL; overlay = overlay->older)
        if (overlay->kind <= TT_EDIT_DELETE && tt_str_equal(overlay->key, key))
            return overlay;
    return NULL;
}

/* The newest edit of that kind, or NULL. */
static inline const struct tt_overlay *tt_overlay_of_kind(const struct tt_overlay *overlay,
                                                          enum tt_edit_kind kind)
{
    while (overlay != NULL && overlay->kind != kind)
        overlay = overlay->older;
    return overlay;
}

#endif
