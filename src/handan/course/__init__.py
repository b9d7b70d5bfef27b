"""The course: exercises with checked answers, and the copies of a chapter for students and teachers."""

from handan.course.answers import check, key

__all__ = ["check", "key"]
