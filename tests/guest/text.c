// SPDX-License-Identifier: GPL-2.0
/* The little of a C library that this guest needs. */
#include "guest.h"

void *memcpy(void *to, const void *from, size_t n)
{
	void *ret = to;

	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return ret;
}

void *memset(void *to, int c, size_t n)
{
	void *ret = to;

	asm volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return ret;
}

size_t text_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* What does not fit is cut off; the end is always marked. Returns the length without the mark. */
size_t text_vformat(char *buf, size_t size, const char *format, __builtin_va_list args)
{
	size_t n = 0;

	for (; *format; format++) {
		char digits[24], *part = &digits[23];

		*part = 0;
		if (*format != '%') {
			*--part = *format;
		} else if (*++format == 's') {
			part = __builtin_va_arg(args, char *);
		} else {
			/* after the 'l' */
			bool is_signed = *++format == 'd';
			unsigned long value = __builtin_va_arg(args, unsigned long);
			bool minus = is_signed && (long)value < 0;

			if (minus)
				value = -value;
			do
				*--part = '0' + value % 10;
			while (value /= 10);
			if (minus)
				*--part = '-';
		}
		while (*part && n + 1 < size)
			buf[n++] = *part++;
	}
	buf[n] = 0;
	return n;
}

size_t text_format(char *buf, size_t size, const char *format, ...)
{
	__builtin_va_list args;
	size_t n;

	__builtin_va_start(args, format);
	n = text_vformat(buf, size, format, args);
	__builtin_va_end(args);
	return n;
}

uint64_t text_option(const char *line, const char *name, uint64_t fallback)
{
	size_t length = text_length(name);

	while (*line) {
		size_t same = 0;

		while (*line == ' ')
			line++;
		while (same < length && line[same] == name[same])
			same++;
		if (same == length && line[same] == '=') {
			fallback = 0;
			line += length + 1;
			do {
				if (*line < '0' || *line > '9' || fallback > UINT32_MAX) {
					console_print("granter: %s= wants a number\n", name);
					die("reading the command line", -1);
				}
				fallback = fallback * 10 + (*line++ - '0');
			} while (*line && *line != ' ');
		}
		while (*line && *line != ' ')
			line++;
	}
	return fallback;
}
