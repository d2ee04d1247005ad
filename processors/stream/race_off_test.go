//go:build !race

package stream_test

import "testing"

func skipRace(*testing.T) {}
