"""Lists of pledges as providers keep them, and the workbook that asks for all there is."""
