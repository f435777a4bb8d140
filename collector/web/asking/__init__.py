"""Who asks, for what, in which language; and how an answer is drawn."""
