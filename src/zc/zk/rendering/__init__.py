"""Files made of templates (Jinja2) and live nodes: `zk render`.

`template` makes text, of objects that templates get (`values`) from live ones (`sources`); `guards`
says when a text is not to be believed yet, and `settings` reads what is to be rendered from a file.
"""
