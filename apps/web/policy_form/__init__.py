"""The form of a policy: a document there and back, section by section, without a word of YAML.

`kinds` are the controls, `layout` the sections with their words, `shape` what stands elsewhere in the form than in the
document, `draft` what was typed, `form` how it is shown. Nothing here is kept between requests: the form itself is the draft.
"""
