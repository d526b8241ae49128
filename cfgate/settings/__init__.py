"""From flags, action inputs, environment and file to one frozen `Settings`, every value with its source.

`options` is the table: whatever is to be known about an option stands there, once. `parsers` and `address`
turn a text into a value or say what is wrong with it. `commands` and `arguments`, `layers` and `file` find
out what was given, and where. `reading` puts the layers in their order (`planning` does so for each target
of the file), has the values parsed and compared (`checks`), and reports every problem at once (`problems`,
`wording`). The results are in `values`; `description` says what was understood; `manual` is the page for
`--help`.
"""
