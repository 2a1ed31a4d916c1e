# Reads JSON. A part of other scripts.

# json_values: print a line `PATH<tab>VALUE` for each text, number, true, false and null of the document on standard input, such as
# `layers.0.size<tab>12`. Escapes stay as they are. Status 1 for what is no JSON, or nested deeper than 20 levels.
json_values() {
  awk '
    function emit(value,   path, level) {
      for (level = 1; level <= depth; level++) path = path (level > 1 ? "." : "") (kind[level] == "[" ? number[level] : key[level])
      print path "\t" value
    }
    { text = text $0 " " }
    END {
      size = length(text)
      for (i = 1; i <= size; i++) {
        c = substr(text, i, 1)
        if (c == " " || c == "\t" || c == "\r") continue
        if (c == "{" || c == "[") {
          if (++depth > 20) exit 1
          kind[depth] = c; number[depth] = 0; key[depth] = ""; naming[depth] = c == "{"
        } else if (c == "}" || c == "]") {
          if (--depth < 0) exit 1
        } else if (c == ",") { number[depth]++; naming[depth] = kind[depth] == "{"
        } else if (c == ":") { naming[depth] = 0
        } else {
          begin = i
          if (c == "\"") {
            for (i++; i <= size && (c = substr(text, i, 1)) != "\""; i++) if (c == "\\") i++
            value = substr(text, begin + 1, i - begin - 1)
            if (i > size) exit 1
          } else {
            while (i <= size && substr(text, i, 1) ~ /[-+.0-9A-Za-z]/) i++
            if (i == begin) exit 1
            value = substr(text, begin, i - begin)
            i--
          }
          if (value ~ /[\001-\037]/) exit 1
          if (depth && naming[depth]) key[depth] = value; else emit(value)
        }
      }
      if (depth) exit 1
    }'
}
