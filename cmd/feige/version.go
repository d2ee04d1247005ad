package main

import (
	"fmt"
	"runtime"
)

// version is set by the linker.
var version = "dev"

type versionCmd struct{}

func (versionCmd) Run(a *app) error {
	fmt.Fprintf(a.stdout, "feige %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
