"""HTML pages of runs and datasets: one file each, nothing fetched, no script. Pure, but for who asks for them."""
