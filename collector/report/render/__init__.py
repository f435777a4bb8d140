"""A report as a page, as sheets of paper, as a workbook."""
