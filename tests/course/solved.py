"""What a solution has that no student may see."""

from handan.course.cells import regions


def solution_lines(source):
    """Lines between the markers, without their indentation and without blank ones."""
    lines = source.splitlines()
    inside = [line for begin, end in regions(source) for line in lines[begin : end - 1]]
    return [line.strip() for line in inside if line.strip()]
