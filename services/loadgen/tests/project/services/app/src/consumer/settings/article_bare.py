"""One of the settings of a lab as loadgen sees it: only its name counts."""
