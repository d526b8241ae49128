"""From a `Result` to what people and machines read of it. Pure: no I/O, no environment, no clock.

`words` has the human forms that all reports share; `outputs` and `result` are for the next step of a
pipeline, `dotenv`, `junit` and `annotations` for GitLab, `markdown` (with `gfm` and `gantt`) for the one who
looks later. Every one of them is an encoder: whatever an API answer holds, it comes out as text and nothing
else.
"""
