//go:build !race

package moderation

const raceDetector = false
