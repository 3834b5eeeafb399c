"""What reports call things, in the reader's language: explainers, groups, metrics, what a test measures.

A name that the catalogue does not know is shown as it came: a group of somebody's own data has its own name.
"""

from __future__ import annotations

from xattn.i18n import is_text, t
from xattn.viz.names import head_name

__all__ = ["explainer_name", "figure_name", "group_name", "measure_name", "metric_name"]


def metric_name(metric: str, language: str) -> str:
    """A metric as people read it: NDCG@10 for ndcg@10, and its name from the catalogue where it has one."""
    base, mark, at = metric.partition("@")
    return (_known(f"lab.metric_{base}", language) or base.upper()) + mark + at.replace(",", ", ")


def explainer_name(explainer: str, language: str) -> str:
    """An explainer as people read it.

    >>> explainer_name("kernel_shap", "en"), explainer_name("removal", "zh"), explainer_name("mine", "zh")
    ('Kernel SHAP', '移除影响', 'mine')
    """
    return _known(f"lab.explainer_{explainer}", language) or explainer


def group_name(group: str, language: str) -> str:
    """A group of people or items as people read it.

    >>> group_name("short", "en"), group_name("rare", "zh"), group_name("Drama", "zh")
    ('short histories', '冷门物品', 'Drama')
    """
    return _known(f"lab.group_{group}", language) or group


def measure_name(measure: str, language: str) -> str:
    """What a test of attention measures.

    >>> measure_name("another first", "en"), measure_name("ndcg@10, uniform", "zh"), measure_name("ndcg@10", "en")
    ('another event is attended most', 'NDCG@10，均匀权重', 'NDCG@10')
    """
    if found := _known(f"lab.measure_{measure.replace(',', '').replace(' ', '_')}", language):
        return found
    metric, _, how = measure.partition(", ")
    shown = metric_name(metric, language)
    if not how or not is_text(f"lab.measure_{how}"):
        return shown if not how else measure
    return t(f"lab.measure_{how}", language, metric=shown)


def figure_name(of: str, value: object, language: str) -> object:
    """A value of a report's sentence, where it is a name: `of` says of what."""
    if not isinstance(value, str):
        return value
    if of == "head":
        return head_name(value, language)
    if of in ("worst", "best"):
        return group_name(value, language)
    return metric_name(value, language) if of == "metric" else value


def _known(key: str, language: str) -> str:
    return t(key, language) if is_text(key) else ""
