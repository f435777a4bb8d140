"""What hostile content costs to judge: shapes that grow, and the CPU time that they take."""
