// Package ingest brings chat events into Kafka: the Publisher that everything live goes through, the
// Clock that publishes live ticks, the administration of topics, importers of recorded chats (CSV, JSONL),
// the replay of such recordings, and simulated traffic.
//
// It knows the layout of events and what makes one acceptable (Validate), and nothing of what they are
// counted for: no rule of service, reception, or penalties is looked at here.
package ingest
