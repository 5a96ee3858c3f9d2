-- Codes of things by id, for doors out: a reference keeps its code also on days when what it names is not in force.
CREATE VIEW app.identity AS SELECT id, noun, code_namespace, code FROM data.identity;
COMMENT ON VIEW app.identity IS 'Namespace and code of every thing by its id';
