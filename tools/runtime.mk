# Included by the Makefiles of layers and functions: the interpreter of Lambda's runtime, whose bytecode is shipped; /opt
# and /var/task are read-only, so that Lambda would compile each module at each start. Empty where this machine has none:
# then no bytecode is shipped. Keep its version in step with template.yaml.
RUNTIME := $(shell $(UV) python find --no-project --system 3.13 2>/dev/null \
        || ls $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13.*/bin/python3.13 2>/dev/null | tail -n 1)

# $(call compile,DIRECTORY,WHERE): never compared with a file's time, since a zip and an unzip change it.
compile = if test -n "$(RUNTIME)"; then \
    "$(RUNTIME)" -m compileall -q --invalidation-mode unchecked-hash -s "$(1)" -p "$(2)" "$(1)"; \
    else echo "no Python of the runtime's version is here: no bytecode, so that cold starts take twice as long"; fi
