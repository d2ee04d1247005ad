package worktime

import "testing"

func BenchmarkCalendar(b *testing.B) {
	for _, name := range []string{"Asia/Shanghai", "America/New_York"} {
		loc := zone(b, name)
		cal := NewCalendar(loc)
		h := hours(b, "08:00-23:00")
		base := us(b, loc, "2026-11-05 12:00:00")
		// Steps of 7 hours over two months, so that neither days nor half-months repeat.
		at := func(i int) int64 { return base + int64(i%200)*7*hourUS }
		var sink int64
		run := func(what string, f func(at int64) int64) {
			b.Run(name+"/"+what, func(b *testing.B) {
				b.ReportAllocs()
				for i := range b.N {
					sink += f(at(i))
				}
			})
		}
		run("In", func(at int64) int64 {
			if cal.In(h, at) {
				return 1
			}
			return 0
		})
		run("Day", func(at int64) int64 { return cal.Day(at).Start })
		run("HalfMonth", func(at int64) int64 { return cal.HalfMonth(at).Start })
		run("Overlap", func(at int64) int64 { return cal.Overlap(h, base, at) })
		_ = sink
	}
}
