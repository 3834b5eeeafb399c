"""The lab: what was measured, how, and the jobs that measure it again."""
