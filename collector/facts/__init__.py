"""What captures say, as facts: each module gives READS and pure parsers."""
