"""Every way in which xattn refuses input: the exception tree, `refuse`, and the `check_*` functions.

Nothing else in the package words a refusal; kernels trust their arrays.
"""

from xattn.errors.arrays import (
    check_array,
    check_distinct,
    check_index_array,
    check_live_finite,
    check_logits,
    check_mask,
    check_mask_table,
    check_no_overflow,
    check_offsets,
)
from xattn.errors.choices import (
    check_choice,
    check_fitted,
    check_flag,
    check_given,
    check_id,
    check_ids,
    check_listing,
    check_named,
    check_pair,
    check_path,
    check_positions,
    check_some,
    check_type,
    is_listing,
    some_of,
)
from xattn.errors.environment import check_environment, threads_of
from xattn.errors.renamed import by_name, current_names, takes_old_names, warn_of_old
from xattn.errors.scalars import check_counts, check_moment, check_number, check_probability, check_range, check_whole
from xattn.errors.shapes import check_axes, check_leading, check_same_columns, check_same_length
from xattn.errors.system import system_reason
from xattn.errors.tree import (
    DataError,
    InputError,
    MessageError,
    ModelFileError,
    NotFittedError,
    StoreError,
    UnknownIdError,
    XattnError,
    refuse,
)
from xattn.i18n.sentence import Quoted, shown

__all__ = [
    "DataError",
    "InputError",
    "MessageError",
    "ModelFileError",
    "NotFittedError",
    "Quoted",
    "StoreError",
    "UnknownIdError",
    "XattnError",
    "by_name",
    "check_array",
    "check_axes",
    "check_choice",
    "check_counts",
    "check_distinct",
    "check_environment",
    "check_fitted",
    "check_flag",
    "check_given",
    "check_id",
    "check_ids",
    "check_index_array",
    "check_leading",
    "check_listing",
    "check_live_finite",
    "check_logits",
    "check_mask",
    "check_mask_table",
    "check_moment",
    "check_named",
    "check_no_overflow",
    "check_number",
    "check_offsets",
    "check_pair",
    "check_path",
    "check_positions",
    "check_probability",
    "check_range",
    "check_same_columns",
    "check_same_length",
    "check_some",
    "check_type",
    "check_whole",
    "current_names",
    "is_listing",
    "refuse",
    "shown",
    "some_of",
    "system_reason",
    "takes_old_names",
    "threads_of",
    "warn_of_old",
]

for _name in __all__:
    if _name.endswith("Error"):
        globals()[_name].__module__ = __name__  # a traceback names the public place
