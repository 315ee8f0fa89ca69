module stowage/test/e2e/tools/conformance-1.1

go 1.24

require github.com/opencontainers/distribution-spec/conformance v0.0.0-20260413194130-13a5d3ee2857
