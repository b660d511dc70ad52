# The version of all that is installed. SOVERSION goes up when a program built with the last one would not run any more.
VERSION := 0.1.0
SOVERSION := 0
