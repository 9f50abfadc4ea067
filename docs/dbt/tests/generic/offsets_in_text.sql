{#- Spans lie in their text: 0 <= start < end <= length(text), and where words are kept beside them
    they are those that stand there. start = end where spans may be empty. Where privacy leaves
    texts out, nothing is said of lengths, and words must be null too.

    Finding a character in a text takes time with its offset. So lengths are counted once a
    document, and words looked up in blocks of the text. -#}
{% test offsets_in_text(
  model, texts, start_column='start_char', end_column='end_char', words_column=none,
  may_be_empty=false
) %}
{%- set block = 16384 %}
with spans as (
  select document_id, {{ start_column }} as start_char, {{ end_column }} as end_char,
    {{ words_column or 'null' }} as words
  from {{ model }}
), sizes as (
  select document_id, length(text) as size from {{ texts }}
)
select document_id, start_char, end_char
from spans join sizes using (document_id)
where not (
  0 <= start_char and start_char {{ '<=' if may_be_empty else '<' }} end_char
  and coalesce(end_char <= size, true)
)
{%- if words_column %}
union all
select s.document_id, s.start_char, s.end_char
from spans as s
left join (
  select document_id, place, substr(text, place * {{ block }} + 1, {{ block }} + (
    select coalesce(max(end_char - start_char), 0) from spans)) as piece
  from (
    select document_id, text, unnest(range(length(text) // {{ block }} + 1)) as place
    from {{ texts }}
  )
) as b on b.document_id = s.document_id and b.place = s.start_char // {{ block }}
where s.start_char >= 0
  and substr(b.piece, s.start_char % {{ block }} + 1, s.end_char - s.start_char)
    is distinct from s.words
{%- endif %}
{% endtest %}
