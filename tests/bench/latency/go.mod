module towpath.dev/bench/latency

go 1.25.0
