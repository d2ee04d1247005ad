package decisions

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// places are written as "partition:offset", joined by commas: the event id of the feed.
func formatPlaces(places map[int32]int64) string {
	parts := make([]string, 0, len(places))
	for _, p := range slices.Sorted(maps.Keys(places)) {
		parts = append(parts, fmt.Sprintf("%d:%d", p, places[p]))
	}
	return strings.Join(parts, ",")
}

func parsePlaces(text string) (map[int32]int64, error) {
	places := map[int32]int64{}
	for part := range strings.SplitSeq(text, ",") {
		p, o, ok := strings.Cut(part, ":")
		partition, err := strconv.ParseInt(p, 10, 32)
		offset, err2 := strconv.ParseInt(o, 10, 64)
		if !ok || err != nil || err2 != nil || partition < 0 || offset < 0 || len(places) > 10_000 {
			return nil, fmt.Errorf("%.40q is no place of the feed", part)
		}
		places[int32(partition)] = offset
	}
	return places, nil
}

// changes is the feed: decisions as they are issued, each once, in the order of a shop's. It begins after Last-Event-ID, or with what
// comes from now on.
func (a *API) changes(w http.ResponseWriter, r *http.Request) {
	const operation = "changes"
	if p := a.admit(r, ""); p != nil {
		a.refuse(w, operation, p)
		return
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("after")
	}
	_, places, _, _ := a.view.since(nil)
	if last != "" {
		var err error
		if places, err = parsePlaces(last); err != nil {
			a.refuse(w, operation, problemf(http.StatusBadRequest, "bad_request", "Last-Event-ID: %v", err))
			return
		}
	}
	select {
	case a.feeds <- struct{}{}:
		defer func() { <-a.feeds }()
	default:
		a.refuse(w, operation, problemf(http.StatusServiceUnavailable, "too_many", "too many listen already"))
		return
	}
	a.requests.WithLabelValues(operation, "200").Inc()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Time{}) // where the server has none, none is to be lifted
	beat := time.NewTicker(a.cfg.Heartbeat)
	defer beat.Stop()
	write := func(format string, args ...any) bool {
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && out.Flush() == nil
	}
	if !write(": feed\nid: %s\nevent: start\ndata: {}\n\n", formatPlaces(places)) {
		return
	}
	for {
		news, after, gap, more := a.view.since(places)
		if gap && !write("event: gap\ndata: {}\n\n") {
			return
		}
		for _, c := range news {
			places[c.partition] = c.offset + 1
			data, err := json.Marshal(a.shape(c.decision, true))
			if err != nil {
				a.log.Error("decisions: a change cannot be encoded", "error", err)
				return
			}
			if !write("id: %s\nevent: decision\ndata: %s\n\n", formatPlaces(places), data) {
				return
			}
		}
		for p, at := range after {
			places[p] = max(places[p], at)
		}
		select {
		case <-more:
		case <-beat.C:
			if !write(": beat\n\n") {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}
