// Go itself, for machines whose own Go is too old for the tools. Go fetches it as a module; go.sum holds it fast.
module stowage/test/e2e/tools/toolchain

go 1.19
