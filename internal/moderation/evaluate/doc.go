// Package evaluate measures the detectors on labelled files and trains the classifiers from them: what
// `feige moderation eval` and `feige moderation train` do. It knows files and figures; the detectors know neither.
package evaluate
