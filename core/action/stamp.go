package action

// Times are written in one form, 2026-11-22T20:00:00.000Z. Package time's formats would be a twentieth of the download.

// AppendStamp writes Unix milliseconds, from the year 1 to 9999.
func AppendStamp(dst []byte, ms int64) []byte {
	const perDay = 86_400_000
	days := ms / perDay
	rest := ms % perDay
	if rest < 0 {
		days, rest = days-1, rest+perDay
	}
	year, month, day := civil(days)
	dst = append(pad(dst, year, 4), '-')
	dst = append(pad(dst, month, 2), '-')
	dst = append(pad(dst, day, 2), 'T')
	dst = append(pad(dst, rest/3_600_000, 2), ':')
	dst = append(pad(dst, rest/60_000%60, 2), ':')
	dst = append(pad(dst, rest/1000%60, 2), '.')
	return append(pad(dst, rest%1000, 3), 'Z')
}

func pad(dst []byte, n int64, width int) []byte {
	at := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := at + width - 1; i >= at && n > 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

// ParseStamp reads that form; 0 for anything else.
func ParseStamp(s string) int64 {
	if len(s) != 24 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != '.' || s[23] != 'Z' {
		return 0
	}
	number := func(from, to int) (n int64) {
		for _, c := range []byte(s[from:to]) {
			n = n*10 + int64(c-'0')
		}
		return n
	}
	days := daysOf(number(0, 4), number(5, 7), number(8, 10))
	ms := ((days*24+number(11, 13))*60+number(14, 16))*60_000 + number(17, 19)*1000 + number(20, 23)
	if string(AppendStamp(nil, ms)) != s { // letters among the digits, or the 31st of February
		return 0
	}
	return ms
}

// daysOf counts the days from 1970-01-01 to a day of the Gregorian calendar. Years are counted from March, so that the
// leap day is their last.
func daysOf(year, month, day int64) int64 {
	if month <= 2 {
		year--
	}
	era := year / 400
	ofEra := year - era*400
	ofYear := (153*((month+9)%12)+2)/5 + day - 1
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468
}

// civil is the inverse of daysOf.
func civil(days int64) (year, month, day int64) {
	days += 719468
	era := days / 146097
	if days < 0 {
		era = (days - 146096) / 146097
	}
	ofEra := days - era*146097
	year = (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*year + year/4 - year/100)
	m := (5*ofYear + 2) / 153
	day = ofYear - (153*m+2)/5 + 1
	month = m + 3
	if m >= 10 {
		month = m - 9
	}
	year += era * 400
	if month <= 2 {
		year++
	}
	return year, month, day
}
