//go:build race

package moderation

const raceDetector = true
