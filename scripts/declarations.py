"""TypeScript declarations (*.d.ts), as far as stripe-node uses them: what catalogue.py reads.

A type is a tuple: ("ref", "A.B", [arguments]), ("text", "literal"), ("object", members, None),
("array", type), ("union", [types]) or ("other",). Members are a dict: name → (type, optional).
Comments, values and function bodies are skipped; what is not understood becomes ("other",), so that
a new kind of declaration elsewhere in the package does no harm.
"""

import os
import re

TOKENS = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)
      |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)
      |(?P<word>[A-Za-z_$][\w$]*)
      |(?P<number>\d[\d._]*)
      |(?P<mark>=>|\.\.\.|.)""", re.X | re.S)
OTHER = ("other",)


def tokens_of(source):
    found = []
    for match in TOKENS.finditer(source):
        if match.lastgroup != "skip":
            found.append((match.lastgroup, match.group()))
    found.append(("end", ""))
    return found


class Interface:
    """An interface or a class. `scope` is where its names are looked up from."""

    def __init__(self, name, scope, path):
        self.name, self.scope, self.path, self.extends = name, scope, path, []
        self.members, self.methods = {}, []  # methods: (name, [(parameter, type, optional)], type)


class Alias:
    def __init__(self, scope, type_):
        self.scope, self.type = scope, type_


class Module:
    """One file's names: declarations by their dotted name, and what it imports and passes on."""

    def __init__(self, path):
        self.path = path
        self.declared, self.imported, self.passed_on = {}, {}, []


class Parser:
    def __init__(self, source, module, path):
        self.tokens, self.at, self.module, self.path = tokens_of(source), 0, module, path

    def peek(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][1]

    def kind(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][0]

    def take(self, wanted=None):
        kind, text = self.tokens[self.at]
        if wanted is not None and text != wanted:
            near = " ".join(t for _, t in self.tokens[max(0, self.at - 8):self.at + 4])
            raise SyntaxError(f"{self.path}: {wanted!r} expected near: {near}")
        if kind != "end":
            self.at += 1
        return text

    def accept(self, text):
        if self.peek() == text and self.kind() != "text":
            self.at += 1
            return True
        return False

    def skip_balanced(self):
        """Past one bracketed group."""
        pairs, depth = {"(": ")", "[": "]", "{": "}", "<": ">"}, []
        while True:
            text, kind = self.peek(), self.kind()
            self.take()
            if kind == "end":
                return
            if kind == "mark" and text in pairs:
                depth.append(pairs[text])
            elif depth and kind == "mark" and text == depth[-1]:
                depth.pop()
            if not depth:
                return

    # Statements

    def statements(self, scope):
        while self.kind() != "end" and self.peek() != "}":
            self.statement(scope)

    def statement(self, scope):
        while self.peek() in ("export", "declare", "abstract", "default"):
            self.take()
        word = self.peek()
        if word in ("interface", "class") and self.kind(1) == "word":
            self.interface(scope)
        elif word == "type" and self.kind(1) == "word":
            self.alias(scope)
        elif word in ("namespace", "module"):
            self.namespace(scope)
        elif word == "import":
            self.import_()
        elif self.tokens[self.at - 1][1] == "export" and word in ("{", "*"):
            self.export_()
        else:
            self.skip_statement()

    def skip_statement(self):
        while self.kind() != "end" and self.peek() != "}":
            if self.peek() in ("(", "[", "{"):
                braces = self.peek() == "{"
                self.skip_balanced()
                if braces and self.peek() not in (";", "|", "&", ","):
                    return
            elif self.take() == ";":
                return

    def namespace(self, scope):
        self.take()
        # `declare module 'stripe' { namespace Stripe {` is the world itself in the older layout.
        name = self.dotted() if self.kind() == "word" else (self.take(), "")[1]
        inner = scope if name in ("", "Stripe") else scope + tuple(name.split("."))
        if self.accept(";"):
            return
        self.take("{")
        self.statements(inner)
        self.take("}")

    def dotted(self):
        name = self.take()
        while self.peek() == "." and self.kind(1) == "word":
            self.take()
            name += "." + self.take()
        return name

    def interface(self, scope):
        self.take()
        name = self.take()
        path = scope + (name,)
        made = self.module.declared.get(".".join(path))
        if not isinstance(made, Interface):
            made = self.module.declared[".".join(path)] = Interface(name, scope, self.path)
        if self.peek() == "<":
            self.skip_balanced()
        while self.peek() in ("extends", "implements", ","):
            inherits = self.take() != "implements"
            type_ = self.postfix()
            if inherits:
                made.extends.append(type_)
        members, methods = self.body()
        made.members.update(members)
        made.methods += methods

    def alias(self, scope):
        self.take()
        name = self.take()
        generic = self.peek() == "<"
        if generic:
            self.skip_balanced()
        self.take("=")
        type_ = self.type()
        self.accept(";")
        self.module.declared.setdefault(".".join(scope + (name,)),
                                        Alias(scope, OTHER if generic else type_))

    def names_in_braces(self):
        self.take("{")
        names = []
        while not self.accept("}"):
            self.accept("type")
            name = self.take()
            names.append((name, self.take() if self.accept("as") else name))
            self.accept(",")
        return names

    def import_(self):
        self.take("import")
        self.accept("type")
        whole, names = None, []
        if self.accept("*"):
            self.take("as")
            whole = self.take()
        elif self.peek() == "{":
            names = self.names_in_braces()
        else:
            return self.skip_statement()
        self.take("from")
        target = self.file_named(self.take()[1:-1])
        if whole:
            self.module.imported[whole] = (target, None)
        for name, local in names:
            self.module.imported[local] = (target, name)
        self.accept(";")

    def export_(self):
        if self.accept("*"):
            if self.accept("as"):
                return self.skip_statement()
            self.take("from")
            self.module.passed_on.append(self.file_named(self.take()[1:-1]))
        else:
            names = self.names_in_braces()
            if self.accept("from"):
                target = self.file_named(self.take()[1:-1])
                for name, local in names:
                    self.module.imported.setdefault(local, (target, name))
        self.accept(";")

    def file_named(self, path):
        path = re.sub(r"\.js$", "", path) + ".d.ts"
        return os.path.normpath(os.path.join(os.path.dirname(self.module.path), path))

    # Members

    def body(self):
        self.take("{")
        members, methods = {}, []
        while not self.accept("}"):
            self.member(members, methods)
            while self.peek() in (";", ","):
                self.take()
        return members, methods

    def member(self, members, methods):
        while (self.peek() in ("readonly", "private", "protected", "public", "static", "abstract",
                               "get", "set", "declare")
               and self.kind(1) in ("word", "text") and self.kind() == "word"):
            self.take()
        if self.peek() in ("[", "(", "<") and self.kind() == "mark":  # index, call
            self.skip_balanced()
            if self.peek() == "(":
                self.skip_balanced()
            self.accept("?")
            if self.accept(":"):
                self.type()
            return
        kind, name = self.kind(), self.take()
        if kind == "text":
            name = name[1:-1]
        optional = self.accept("?")
        if self.peek() == "<":
            self.skip_balanced()
        if self.peek() == "(":
            parameters = self.parameters()
            methods.append((name, parameters, self.type() if self.accept(":") else OTHER))
        elif self.accept(":"):
            members[name] = (self.type(), optional)
        elif self.accept("="):
            self.type()

    def parameters(self):
        self.take("(")
        found = []
        while not self.accept(")"):
            self.accept("...")
            if self.peek() in ("{", "["):
                self.skip_balanced()
                name = ""
            else:
                name = self.take()
            optional = self.accept("?")
            found.append((name, self.type() if self.accept(":") else OTHER, optional))
            self.accept(",")
        return found

    # Types

    def type(self):
        self.accept("|")
        all_ = [self.intersection()]
        while self.accept("|"):
            all_.append(self.intersection())
        made = all_[0] if len(all_) == 1 else ("union", all_)
        if self.accept("extends"):  # conditional
            self.type()
            self.take("?")
            self.type()
            self.take(":")
            self.type()
            return OTHER
        return made

    def intersection(self):
        self.accept("&")
        first = self.postfix()
        while self.accept("&"):
            self.postfix()  # what Stripe's types are is said by the first
        return first

    def postfix(self):
        made = self.primary()
        while self.peek() == "[" and self.kind() == "mark":
            self.take()
            if self.accept("]"):
                made = ("array", made)
            else:
                self.type()
                self.take("]")
                made = OTHER
        if self.accept("is"):
            self.type()
            return OTHER
        return made

    def primary(self):
        kind, text = self.kind(), self.peek()
        if kind == "text":
            return ("text", self.take()[1:-1])
        if text == "{":
            return ("object", self.body()[0], None)
        if text == "(":
            return self.parenthesis()
        if text == "[" or text == "<":
            self.skip_balanced()
            return self.function_tail()
        if text in ("typeof", "keyof", "readonly", "unique", "infer", "new", "asserts"):
            self.take()
            self.primary()
            return OTHER
        if text == "-" or kind == "number":
            self.take()
            return self.primary() if text == "-" else OTHER
        if kind != "word":
            raise SyntaxError(f"{self.path}: a type expected at {text!r}")
        if text == "import":
            self.take()
            self.skip_balanced()
            while self.accept("."):
                self.take()
            return OTHER
        name, arguments = self.dotted(), []
        if self.accept("<"):
            while not self.accept(">"):
                arguments.append(self.type())
                self.accept(",")
        return ("array", arguments[0]) if name == "Array" else ("ref", name, arguments)

    def function_tail(self):
        if self.peek() == "(":
            self.skip_balanced()
        if self.accept("=>"):
            self.type()
        return OTHER

    def parenthesis(self):
        """(A | B), or the parameters of a function type."""
        begin = self.at
        self.skip_balanced()
        if self.peek() == "=>":
            return self.function_tail()
        self.at = begin
        self.take("(")
        made = self.type()
        self.take(")")
        return made


class World:
    """Several files, and how a name in one of them is found in another."""

    def __init__(self):
        self.modules = {}

    def read(self, path, into=None):
        """`into`: the older layout, in which all files declare into one world."""
        module = self.modules.setdefault(into or path, Module(into or path))
        with open(path, encoding="utf-8") as f:
            parser = Parser(f.read(), module, path)
        while parser.kind() != "end":
            parser.statements(())
            parser.accept("}")
        return module

    def find(self, module, scope, name):
        """(module, dotted name, declaration), or None: outwards, then through the imports."""
        if isinstance(module, str):
            module = self.modules.get(module)
        if module is None:
            return None
        if name.startswith("Stripe.") and "Stripe" not in module.imported:
            return self.find(module, (), name[len("Stripe."):])
        for depth in range(len(scope), -1, -1):
            dotted = ".".join(scope[:depth] + (name,))
            if dotted in module.declared:
                return module, dotted, module.declared[dotted]
        first, _, rest = name.partition(".")
        if first in module.imported:
            target, original = module.imported[first]
            inner = ".".join(part for part in (original, rest) if part)
            found = inner and self.find(target, (), inner)
            if found:
                return found
            if original and rest:  # a namespace that an index passes on
                return self.find(target, (), rest)
        for target in module.passed_on:
            found = self.find(target, (), name)
            if found:
                return found
        return None
