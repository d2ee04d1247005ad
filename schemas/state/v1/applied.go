package statev1

import "encoding/binary"

// Applied is the offset that an encoded table value rests on, read without decoding the rest. ok is
// false when the value does not begin as every value of this package must.
func Applied(value []byte) (offset int64, ok bool) {
	const tag = 1<<3 | 1 // field 1, fixed64
	if len(value) < 9 || value[0] != tag {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(value[1:])) - 1, true
}
