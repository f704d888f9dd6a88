"""What the programs follow: studies of faults, of which facts were taken (what was wrong, in what) and no code, and
places where people ask."""

__all__ = [
    "AUTOTRAINER", "CRIME", "DEEPFD", "DEEPLOCALIZE", "DEFAULT", "DEFECTS", "FORUM", "GITHUB", "LEARNERS", "NEURALINT",
    "SCIENCE", "STUDY", "TAXONOMY", "TENSFA", "THEIA", "UMLAUT",
]  # fmt: skip

AUTOTRAINER = "AutoTrainer (Zhang et al., ICSE 2021)"
CRIME = "DeepCrime (Humbatova et al., ISSTA 2021), mutation operators"
DEEPFD = "DeepFD (Cao et al., ICSE 2022)"
DEEPLOCALIZE = "DeepLocalize (Wardat et al., ICSE 2021)"
DEFAULT = "DEFault++ (Jahan et al., 2026), mutants of transformers"
DEFECTS = "defect4ML (Morovati et al., EMSE 2023)"
FORUM = "after Stack Overflow"
GITHUB = "after GitHub"
LEARNERS = "written as learners write, after no program"
NEURALINT = "NeuraLint (Nikanjam et al., TOSEM 2021)"
SCIENCE = "after datascience.stackexchange"
STUDY = "Islam et al.: A Comprehensive Study on Deep Learning Bug Characteristics (FSE 2019)"
TAXONOMY = "Humbatova et al.: Taxonomy of Real Faults in Deep Learning Systems (ICSE 2020)"
TENSFA = "Tensfa (Wu et al., 2022), faults of tensor shapes"
THEIA = "Theia (2024): Leveraging Data Characteristics for Bug Localization in Deep Learning Programs"
UMLAUT = "UMLAUT (Schoop et al., CHI 2021)"
