package redact

import "strings"

// How many digits a card's number has (ISO/IEC 7812-1), and a mobile number in
// India: alone or in two halves, after a zero, and after the country's.
const (
	leastCard, mostCard                    = 13, 19
	halfPhone, phone, zeroPhone, longPhone = 5, 10, 11, 12
)

// numbers masks what may be the number of a card: 13 to 19 digits with the right
// check digit, in one group or in several with a blank or a dash between them.
// phones: mobile numbers too. UUIDs, such as request ids, stay.
func numbers(s string, phones bool) string {
	if digitsIn(s) < phone {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		switch {
		case isUUID(s, i):
			b.WriteString(s[i : i+uuidLen])
			i += uuidLen
		case isDigit(s[i]):
			groups := groupsAt(s, i)
			end := groups[len(groups)-1].end
			writeMasked(&b, s, groups, phones)
			i = end
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String()
}

type group struct{ start, end int }

// groupsAt returns the groups of digits that begin at i.
func groupsAt(s string, i int) []group {
	var all []group
	for {
		g := group{start: i}
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		g.end = i
		all = append(all, g)
		if i+1 >= len(s) || s[i] != ' ' && s[i] != '-' || !isDigit(s[i+1]) {
			return all
		}
		i++
	}
}

// writeMasked writes the text of the groups, a mark in the place of each number.
func writeMasked(b *strings.Builder, s string, groups []group, phones bool) {
	from := groups[0].start
	for n := 0; n < len(groups); n++ {
		last, found := numberFrom(s, groups[n:], phones)
		if !found {
			continue
		}
		b.WriteString(s[from:groups[n].start])
		b.WriteString(Mark)
		n += last
		from = groups[n].end
	}
	b.WriteString(s[from:groups[len(groups)-1].end])
}

// numberFrom reports whether the first groups together are a number to mask, and
// which one is the last of the longest.
func numberFrom(s string, groups []group, phones bool) (last int, found bool) {
	var digits strings.Builder
	for n, g := range groups {
		digits.WriteString(s[g.start:g.end])
		d := digits.String()
		if len(d) > mostCard {
			break
		}
		if len(d) >= leastCard && luhn(d) || phones && (n == 0 || n == 1 && len(d)-(g.end-g.start) == halfPhone) && isPhone(d) {
			last, found = n, true
		}
	}
	return last, found
}

func isPhone(d string) bool {
	switch {
	case len(d) == longPhone && d[:2] == "91":
		d = d[2:]
	case len(d) == zeroPhone && d[0] == '0':
		d = d[1:]
	}
	return len(d) == phone && d[0] >= '6'
}

// luhn tells whether the last digit is the check digit (ISO/IEC 7812-1 annex B).
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func digitsIn(s string) int {
	n := 0
	for i := range len(s) {
		if isDigit(s[i]) {
			n++
		}
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

const uuidLen = 36

// isUUID tells whether a UUID stands alone at i.
func isUUID(s string, i int) bool {
	if len(s)-i < uuidLen || i > 0 && (isHex(s[i-1]) || s[i-1] == '-') {
		return false
	}
	for n := range uuidLen {
		dash := n == 8 || n == 13 || n == 18 || n == 23
		if c := s[i+n]; dash != (c == '-') || !dash && !isHex(c) {
			return false
		}
	}
	end := i + uuidLen
	return end == len(s) || !isHex(s[end]) && s[end] != '-'
}
